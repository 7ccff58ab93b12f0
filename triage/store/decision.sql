-- What people say: decisions on exhibits, judgements of candidates. Rows are added, never changed; a later one supersedes
-- an earlier one. The custody event of a row holds the same facts.

CREATE TABLE decision (                -- a named examiner decided what becomes of an exhibit
  id                  INTEGER PRIMARY KEY,
  exhibit_id          INTEGER NOT NULL REFERENCES exhibit (id),
  verdict             TEXT NOT NULL CHECK (verdict IN ('return', 'seize', 'refer')),
  reason              TEXT NOT NULL,
  examiner            TEXT NOT NULL,
  power               TEXT,             -- the legal power relied on; null: not stated, as below
  necessity           TEXT,             -- necessity and proportionality
  practicability      TEXT,             -- why it was or was not practicable to determine the matter on the scene
  acknowledged        TEXT NOT NULL,    -- JSON list of codes of the recommendation
  second              TEXT,             -- who else stands for a decision against the recommendation
  second_reason       TEXT,
  recommendation      TEXT NOT NULL,    -- canonical JSON, as it stood
  coverage            TEXT NOT NULL,    -- canonical JSON of class to bytes, as it stood
  plan_digest         TEXT NOT NULL,
  policy_digest       TEXT NOT NULL,
  ledger_head         TEXT NOT NULL,    -- digest of the last custody event before
  examination         TEXT NOT NULL,    -- finished or stopped
  ended_by            TEXT,             -- as in exhibit
  event               INTEGER NOT NULL UNIQUE REFERENCES custody (sequence)
);
CREATE INDEX decision_on_exhibit ON decision (exhibit_id);
CREATE TRIGGER decision_is_not_changed BEFORE UPDATE ON decision
BEGIN SELECT RAISE (ABORT, 'a decision is superseded, never changed'); END;
CREATE TRIGGER decision_is_not_removed BEFORE DELETE ON decision
BEGIN SELECT RAISE (ABORT, 'a decision is superseded, never removed'); END;
CREATE TRIGGER decision_is_added BEFORE INSERT ON decision
WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM decision)
BEGIN SELECT RAISE (ABORT, 'a decision follows the last one'); END;

CREATE TABLE judgement (               -- a person confirmed or rejected a perceptual candidate
  id                  INTEGER PRIMARY KEY,
  finding_id          INTEGER NOT NULL REFERENCES finding (id),
  confirmed           INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
  examiner            TEXT NOT NULL,
  note                TEXT,
  event               INTEGER NOT NULL UNIQUE REFERENCES custody (sequence)
);
CREATE INDEX judgement_of_finding ON judgement (finding_id);
CREATE TRIGGER judgement_is_not_changed BEFORE UPDATE ON judgement
BEGIN SELECT RAISE (ABORT, 'a judgement is superseded, never changed'); END;
CREATE TRIGGER judgement_is_not_removed BEFORE DELETE ON judgement
BEGIN SELECT RAISE (ABORT, 'a judgement is superseded, never removed'); END;
CREATE TRIGGER judgement_is_added BEFORE INSERT ON judgement
WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM judgement)
BEGIN SELECT RAISE (ABORT, 'a judgement follows the last one'); END;
