-- What somebody did, all of it, and not only what they were allowed and refused: a query says the condition, too, or is not helped. Owner: ledger.
CREATE INDEX event_actor ON event (tenant_id, actor, month, position) WHERE starts_with(actor, 'sub_');
DROP INDEX event_decision;
