-- What pages of a case are cut from: findings know their exhibit and path, and an index holds them in each order that a
-- person may ask for, with all that a page is narrowed down by, so that the table itself is read for the page alone.

ALTER TABLE finding ADD COLUMN exhibit_id INTEGER REFERENCES exhibit (id); -- that of the item
ALTER TABLE finding ADD COLUMN path TEXT;                                 -- that of the item
ALTER TABLE finding ADD COLUMN state TEXT;                                -- match, candidate, confirmed, rejected

CREATE TRIGGER finding_placed AFTER INSERT ON finding
BEGIN
  UPDATE finding SET (exhibit_id, path) = (
    SELECT region.exhibit_id, item.path FROM item JOIN region ON region.id = item.region_id WHERE item.id = NEW.item_id)
  WHERE id = NEW.id;
  UPDATE finding SET confirmed = confirmed WHERE id = NEW.id;
END;
CREATE TRIGGER finding_judged AFTER UPDATE OF confirmed ON finding
BEGIN
  UPDATE finding SET state = CASE WHEN match IN ('md5', 'sha1', 'sha256') THEN 'match' WHEN confirmed IS NULL THEN 'candidate'
                                  WHEN confirmed THEN 'confirmed' ELSE 'rejected' END
  WHERE id = NEW.id;
END;
UPDATE finding SET confirmed = confirmed, (exhibit_id, path) = (
  SELECT region.exhibit_id, item.path FROM item JOIN region ON region.id = item.region_id
  WHERE item.id = finding.item_id);

CREATE INDEX finding_counted ON finding (exhibit_id, state, grade, category);
CREATE INDEX finding_by_number ON finding (id, exhibit_id, grade, category, state, path);
CREATE INDEX finding_by_path ON finding (path, id, exhibit_id, grade, category, state);
CREATE INDEX finding_by_category ON finding (category, id, exhibit_id, grade, state, path);
CREATE INDEX finding_by_grade ON finding (grade, id, exhibit_id, category, state, path);
CREATE INDEX finding_by_set ON finding (set_name, id, exhibit_id, grade, category, state, path);
CREATE INDEX finding_by_match ON finding (match, distance, id, exhibit_id, grade, category, state, path);
CREATE INDEX finding_by_state ON finding (state, id, exhibit_id, grade, category, path);

CREATE INDEX item_not_examined ON item (region_id, outcome, substr(reason, 1, instr(reason || ':', ':') - 1))
WHERE outcome NOT IN ('examined', 'not-reached');
CREATE INDEX custody_of ON custody (subject);
