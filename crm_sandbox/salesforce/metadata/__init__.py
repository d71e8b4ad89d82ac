"""REST deployments of objects, fields, permission sets, reports and dashboards."""
