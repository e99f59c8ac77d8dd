-- A code beside the recipient's own, for whoever collects in their place. Null: the recipient's own. Owner: space.
ALTER TABLE pick_up_code ADD COLUMN delegate text;
