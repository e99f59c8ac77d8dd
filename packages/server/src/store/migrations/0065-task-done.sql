-- What was settled today is asked with every look at the overview. Owner: cases.
CREATE INDEX task_done ON task (tenant_id, done_at) WHERE done_at IS NOT NULL;
