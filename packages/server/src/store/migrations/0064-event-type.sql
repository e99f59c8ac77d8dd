-- "Which doors were forced, ever?" must not read the whole log. Owner: ledger.
CREATE INDEX event_type ON event (tenant_id, type, month, position);
