-- The deny-lists (docs/lists.md). Every instance holds those that are in force in memory, so that a call
-- of a peer costs no statement; the digest tells whether what it holds is still what is here.

-- name: deny_add(kind text, key_id bytea, issuer_id bytea, serial bytea, eid_low text, eid_high text, firmware_low integer, firmware_high integer, most integer, actor text, why text) -> id bigint, added boolean     zero rows: conflict
-- An entry that is there already is answered with its number. Conflict: there are `most`, or the same
-- entry is being added beside us.
with same as materialized (
    select d.id
      from deny d
     where d.removed_at is null and d.kind = $1
       and d.key_id is not distinct from $2
       and d.issuer_id is not distinct from $3 and d.serial is not distinct from $4
       and d.eid_low is not distinct from $5 and d.eid_high is not distinct from $6
       and d.firmware_low is not distinct from $7 and d.firmware_high is not distinct from $8
), made as (
    insert into deny (kind, key_id, issuer_id, serial, eid_low, eid_high, firmware_low,
                      firmware_high, added_by, why)
    select $1, $2, $3, $4, $5, $6, $7, $8, $10, $11
     where not exists (select from same)
       and (select count(*) from (select from deny where removed_at is null limit $9) counted) < $9
        on conflict do nothing
 returning id
), audited as (
    insert into audit (actor, act, eid, why)
    select $10, 'deny_add', case when $1 = 'eid' and $5 = $6 then $5 end,
           'entry ' || id || ', ' || $1 || ': ' || $11
      from made
)
select id, true as added from made
 union all
select id, false from same;

-- name: deny_remove(id bigint, actor text, why text) -> id bigint     zero rows: none
-- A repetition finds it taken away. None: there is no such entry.
with gone as (
    update deny d
       set removed_at = now(), removed_by = $2
     where d.id = $1 and d.removed_at is null
 returning d.id, d.kind
), audited as (
    insert into audit (actor, act, why)
    select $2, 'deny_remove', 'entry ' || id || ', ' || kind || ': ' || $3 from gone
)
select id from gone
 union all
select d.id from deny d where d.id = $1 and d.removed_at is not null;

-- name: deny_digest() -> digest text     zero rows: none
-- lane: background
select coalesce(md5(string_agg(d.id::text, ',' order by d.id)), '') as digest
  from deny d
 where d.removed_at is null;

-- name: deny_load(after bigint, most integer) -> id bigint, kind text, key_id bytea, issuer_id bytea, serial bytea, eid_low text, eid_high text, firmware_low integer, firmware_high integer     zero rows: none
-- lane: background
select d.id, d.kind, d.key_id, d.issuer_id, d.serial, d.eid_low, d.eid_high,
       coalesce(d.firmware_low, -1) as firmware_low, coalesce(d.firmware_high, -1) as firmware_high
  from deny d
 where d.removed_at is null and d.id > $1
 order by d.id
 limit $2;

-- name: deny_view(kind text, after bigint, most integer) -> view jsonb     zero rows: none
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'id', d.id, 'kind', d.kind,
           'keyId', upper(encode(d.key_id, 'hex')), 'issuer', upper(encode(d.issuer_id, 'hex')),
           'serial', upper(encode(d.serial, 'hex')),
           'eids', d.eid_low || case when d.eid_high <> d.eid_low then '-' || d.eid_high else '' end,
           'firmware', (d.firmware_low >> 16) || '.' || (d.firmware_low >> 8 & 255) || '.' ||
                       (d.firmware_low & 255) ||
                       case when d.firmware_high <> d.firmware_low
                            then '-' || (d.firmware_high >> 16) || '.' || (d.firmware_high >> 8 & 255) ||
                                 '.' || (d.firmware_high & 255)
                            else '' end,
           'why', d.why, 'by', d.added_by, 'at', utc(d.added_at))) as view
  from deny d
 where d.removed_at is null and d.id > $2 and ($1 is null or d.kind = $1)
 order by d.id
 limit $3;
