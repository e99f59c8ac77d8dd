-- A role may be held for some hours only, as by somebody of the operator or of a maker who helps. Owner: access.
ALTER TABLE role_assignment ADD COLUMN until bigint;
