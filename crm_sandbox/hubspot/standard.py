"""The properties that HubSpot defines itself, one a line: name, type, flags (ro, unique) and `= value:label|…`."""

_RECORD = """
hs_object_id number ro unique
hubspot_owner_id owner
hubspot_team_id string ro
hubspot_owner_assigneddate datetime ro
hs_all_owner_ids string ro
hs_created_by_user_id number ro
hs_updated_by_user_id number ro
hs_merged_object_ids string ro
hs_object_source string ro
hs_read_only bool ro
"""

_STAMPED = """
hs_createdate datetime ro
hs_lastmodifieddate datetime ro
"""

_ACTIVITY = (
    _RECORD
    + _STAMPED
    + """
hs_timestamp datetime
hs_activity_type string
hs_follow_up_action string ro
hs_engagement_source string ro
hs_body_preview string ro
hs_body_preview_html string ro
hs_attachment_ids string
hs_gdpr_deleted bool ro
hs_unique_creation_key string ro
"""
)

_SOURCES = (
    "ORGANIC_SEARCH|PAID_SEARCH|EMAIL_MARKETING|SOCIAL_MEDIA|PAID_SOCIAL|REFERRALS|OTHER_CAMPAIGNS|DIRECT_TRAFFIC"
    "|OFFLINE:Offline sources|AI_REFERRALS"
)

_CONTACTS = (
    _RECORD
    + f"""
createdate datetime ro
lastmodifieddate datetime ro
email string unique
hs_additional_emails string ro
firstname string
lastname string
phone string
company string
jobtitle string
associatedcompanyid number ro
lifecyclestage enum = subscriber|lead|marketingqualifiedlead|salesqualifiedlead|opportunity|customer|evangelist|other
hs_lifecyclestage_subscriber_date datetime ro
hs_lifecyclestage_lead_date datetime ro
hs_lifecyclestage_marketingqualifiedlead_date datetime ro
hs_lifecyclestage_salesqualifiedlead_date datetime ro
hs_lifecyclestage_opportunity_date datetime ro
hs_lifecyclestage_customer_date datetime ro
hs_lifecyclestage_evangelist_date datetime ro
hs_lifecyclestage_other_date datetime ro
hs_lead_status enum = NEW|OPEN|IN_PROGRESS|OPEN_DEAL|UNQUALIFIED|ATTEMPTED_TO_CONTACT|CONNECTED|BAD_TIMING
hubspotscore number ro
hs_analytics_source enum ro = {_SOURCES}
hs_analytics_source_data_1 string ro
hs_analytics_source_data_2 string ro
hs_latest_source enum ro = {_SOURCES}
hs_latest_source_data_1 string ro
hs_latest_source_data_2 string ro
hs_latest_source_timestamp datetime ro
hs_analytics_num_page_views number ro
hs_analytics_num_visits number ro
hs_analytics_num_event_completions number ro
hs_analytics_average_page_views number ro
hs_analytics_first_timestamp datetime ro
hs_analytics_last_timestamp datetime ro
hs_analytics_last_visit_timestamp datetime ro
hs_analytics_last_url string ro
hs_analytics_first_url string ro
hs_analytics_revenue number ro
hs_email_optout bool ro
hs_email_bounce number ro
hs_email_open number ro
hs_email_click number ro
hs_email_replied number ro
hs_email_delivered number ro
hs_email_last_open_date datetime ro
hs_email_last_click_date datetime ro
hs_email_last_reply_date datetime ro
hs_email_last_send_date datetime ro
hs_email_first_open_date datetime ro
hs_sales_email_last_opened datetime ro
hs_sales_email_last_clicked datetime ro
hs_sales_email_last_replied datetime ro
num_conversion_events number ro
num_unique_conversion_events number ro
first_conversion_date datetime ro
first_conversion_event_name string ro
recent_conversion_date datetime ro
recent_conversion_event_name string ro
hs_sa_first_engagement_date datetime ro
hs_sa_first_engagement_object_type string ro
hs_time_to_first_engagement number ro
num_contacted_notes number ro
num_notes number ro
notes_last_contacted datetime ro
notes_last_updated datetime ro
hs_last_sales_activity_timestamp datetime ro
engagements_last_meeting_booked datetime ro
num_associated_deals number ro
"""
)

_COMPANIES = (
    _RECORD
    + """
createdate datetime ro
hs_lastmodifieddate datetime ro
name string
domain string
industry string
lifecyclestage enum = subscriber|lead|marketingqualifiedlead|salesqualifiedlead|opportunity|customer|evangelist|other
num_associated_contacts number ro
num_associated_deals number ro
"""
)

_DEALS = (
    _RECORD
    + _STAMPED
    + f"""
createdate datetime
dealname string
amount number
amount_in_home_currency number ro
deal_currency_code enum
hs_exchange_rate number ro
hs_closed_amount number ro
hs_closed_amount_in_home_currency number ro
hs_projected_amount number ro
hs_projected_amount_in_home_currency number ro
hs_forecast_amount number ro
hs_forecast_probability number
hs_manual_forecast_category enum = OMIT|PIPELINE|BEST_CASE|COMMIT|CLOSED
hs_deal_stage_probability number ro
hs_deal_stage_probability_shadow number ro
closedate datetime
days_to_close number ro
hs_days_to_close_raw number ro
dealstage enum
pipeline enum
dealtype enum = newbusiness:New business|existingbusiness:Existing business
hs_is_closed bool ro
hs_is_closed_won bool ro
hs_is_closed_lost bool ro
hs_closed_won_count number ro
hs_analytics_source enum ro = {_SOURCES}
hs_analytics_source_data_1 string ro
hs_analytics_source_data_2 string ro
hs_analytics_latest_source enum ro = {_SOURCES}
hs_campaign string
hs_acv number
hs_arr number
hs_mrr number
hs_tcv number
hs_is_deal_split bool ro
num_associated_contacts number ro
num_contacted_notes number ro
num_notes number ro
notes_last_contacted datetime ro
notes_last_updated datetime ro
hs_sales_email_last_replied datetime ro
engagements_last_meeting_booked datetime ro
"""
)

_LEADS = (
    _RECORD
    + _STAMPED
    + """
createdate datetime ro
hs_lead_name string
hs_lead_type enum = NEW_BUSINESS:New business|RE_ATTEMPTING:Re-attempting|UPSELL
hs_lead_label enum = HOT|WARM|COLD
hs_pipeline enum
hs_pipeline_stage enum
"""
)

_CALLS = (
    _ACTIVITY
    + """
hs_call_title string
hs_call_body string
hs_call_direction enum = INBOUND|OUTBOUND
hs_call_disposition enum
hs_call_duration number
hs_call_status enum = BUSY|CALLING_CRM_USER|CANCELED|COMPLETED|CONNECTING|FAILED|IN_PROGRESS|NO_ANSWER|QUEUED|RINGING|HOLD|MISSED|UNKNOWN|missed
hs_call_from_number string
hs_call_to_number string
hs_call_has_voicemail bool
hs_call_recording_url string
hs_call_source enum = INTEGRATIONS_PLATFORM|ZOOM|EXTERNAL_CALLING
hs_call_callee_object_id number
hs_call_callee_object_type string
hs_call_has_transcript bool ro
hs_call_app_id number
hs_call_external_id string
"""  # noqa: E501 - an option list is one line
)

_EMAILS = (
    _ACTIVITY
    + """
hs_email_subject string
hs_email_text string
hs_email_html string
hs_email_direction enum = EMAIL|INCOMING_EMAIL|FORWARDED_EMAIL
hs_email_status enum = BOUNCED|FAILED|SCHEDULED|SENDING|SENT
hs_email_post_send_status string ro
hs_email_thread_id string ro
hs_email_message_id string ro
hs_email_tracker_key string ro
hs_not_tracking_opens_or_clicks bool ro
hs_email_open_count number ro
hs_email_click_count number ro
hs_email_reply_count number ro
hs_email_sent_count number ro
hs_email_open_rate number ro
hs_email_click_rate number ro
hs_email_reply_rate number ro
hs_email_bounce_error_detail_message string ro
hs_email_bounce_error_detail_status_code number ro
hs_email_error_message string ro
hs_email_recipient_drop_reasons string ro
hs_email_from_email string ro
hs_email_to_email string ro
hs_email_cc_email string ro
hs_sequence_id number ro
hs_template_id number ro
hs_campaign_guid string ro
hs_incoming_email_is_out_of_office bool ro
hs_email_logged_from string ro
hs_email_sent_via string ro
hs_email_member_of_forwarded_subthread bool ro
hs_owner_ids_from string ro
hs_owner_ids_to string ro
hs_owner_ids_cc string ro
hs_owner_ids_bcc string ro
"""
)

_MEETINGS = (
    _ACTIVITY
    + """
hs_meeting_title string
hs_meeting_body string
hs_meeting_start_time datetime
hs_meeting_end_time datetime
hs_meeting_outcome enum = SCHEDULED|COMPLETED|RESCHEDULED|NO_SHOW|CANCELED|CANCELLED
hs_meeting_location string
hs_meeting_location_type string
hs_meeting_source string ro
hs_meeting_created_from_link_id string ro
hs_meeting_external_url string
hs_attendee_owner_ids string
hs_internal_meeting_notes string
"""
)

_COMMUNICATIONS = (
    _ACTIVITY
    + """
hs_communication_channel_type enum = SMS|WHATS_APP|LINKEDIN_MESSAGE|CUSTOM_CHANNEL_CONVERSATION
hs_communication_logged_from enum = CRM
hs_communication_body string
"""
)

_TASKS = (
    _ACTIVITY
    + """
hs_task_subject string
hs_task_body string
hs_task_type enum = EMAIL|CALL|TODO
hs_task_status enum = NOT_STARTED|IN_PROGRESS|WAITING|DEFERRED|COMPLETED
hs_task_priority enum = LOW|MEDIUM|HIGH|NONE
hs_task_completion_date datetime ro
hs_task_for_object_type string
hs_queue_membership_ids string
"""
)

_NOTES = (
    _ACTIVITY
    + """
hs_note_body string
"""
)

_USERS = (
    _STAMPED
    + """
hs_object_id number ro unique
hs_email string ro unique
hs_given_name string ro
hs_family_name string ro
hs_searchable_calculated_name string ro
hs_internal_user_id number ro unique
hubspot_owner_id owner ro
hs_job_title string
hs_main_phone string
hs_additional_phone string
hs_availability_status enum = available|away
hs_standard_time_zone string
hs_working_hours string
hs_out_of_office_hours string
hs_main_user_language_skill string
hs_secondary_user_language_skill string
hs_uncategorized_skills string
"""
)

_GOALS = (
    _RECORD
    + _STAMPED
    + """
hs_goal_name string
hs_target_amount number
hs_target_amount_in_home_currency number ro
hs_start_datetime datetime
hs_end_datetime datetime
hs_assignee_user_id number
hs_assignee_team_id number
hs_goal_type enum = REVENUE:Revenue|DEALS_CREATED:Deals created|CALLS_MADE:Calls logged|MEETINGS:Meetings booked
hs_kpi_value number ro
hs_kpi_progress_percent number ro
hs_kpi_value_last_calculated_at datetime ro
hs_status enum ro = IN_PROGRESS|PENDING|ACHIEVED|MISSED
hs_outcome enum ro = IN_PROGRESS|COMPLETED|MISSED
"""
)

_CAMPAIGNS = (
    _STAMPED
    + """
hs_object_id number ro unique
hs_name string
hs_start_date date
hs_end_date date
hs_campaign_status enum = planned|in_progress|active|paused|completed
hs_owner owner
hs_currency_code string
hs_budget_items_sum_amount number ro
hs_spend_items_sum_amount number ro
hs_utm string ro
hs_goal string
hs_audience string
hs_notes string
hs_created_by_user_id number ro
"""
)

STANDARD = {
    "contacts": _CONTACTS,
    "companies": _COMPANIES,
    "deals": _DEALS,
    "leads": _LEADS,
    "calls": _CALLS,
    "emails": _EMAILS,
    "meetings": _MEETINGS,
    "communications": _COMMUNICATIONS,
    "tasks": _TASKS,
    "notes": _NOTES,
    "users": _USERS,
    "goal_targets": _GOALS,
    "campaigns": _CAMPAIGNS,
    "custom": _RECORD + _STAMPED,
}
"""The lines by the object's plural name; `custom` is what every custom object has."""
