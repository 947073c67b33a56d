-- Bulk loads, on a connection of their own: between the first two statements and the rest COPY brings
-- the rows. What the functions do stands beside them in sql/schema/0005-personalisation.sql and
-- 0008-loads.sql.

-- name: load_begin() -> load_id bigint     zero rows: none
-- lane: load
-- writes
select profile_load_begin() as load_id;

-- name: load_take(load_id bigint, type_id bigint, version integer, class text, profiles bigint, fields_all bigint, fields_any bigint, details bigint[], imsi_low text, imsi_high text, source text, actor text, why text) -> outcome text     zero rows: none
-- All rows become profiles in stock, or none does. imsi_low, imsi_high: their IMSIs ascend from the one to the
-- other; null: they do not.
-- lane: load
-- writes
select profile_load_take($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as outcome;

-- name: load_duplicates(load_id bigint, type_id bigint, most integer) -> line bigint, datum text, first bigint, total bigint     zero rows: none
-- lane: load
select line, datum, first, total from profile_load_duplicates($1, $2, $3);

-- name: load_drop(load_id bigint) -> dropped boolean     zero rows: none
-- Nothing comes of its rows.
-- lane: load
-- writes
select profile_load_drop($1) as dropped;

-- name: load_sweep() -> swept integer     zero rows: none
-- Rests of loads whose session is gone.
-- lane: background
-- writes
select profile_load_sweep() as swept;
