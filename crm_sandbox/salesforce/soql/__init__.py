"""Salesforce's query language: text, rows, answer."""
