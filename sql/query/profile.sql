-- Profiles and their types as an administrator keeps them. The life of a profile is in order.sql.

-- name: profile_import(iccid text, type_name text, class text, imsi text, saip_version integer, services bigint, upp_octets integer, metadata bytea, upp bytea, actor text, why text, operator_name text) -> iccid text, type_name text     zero rows: conflict
-- A profile comes into stock, with its sealed package; its type, one of this operator, is made when nobody
-- has yet. The same sealed octets again are this call's own repetition. No ICCID: there is no such operator.
-- Conflict: the ICCID is known, or the type was made at the same moment.
with owner as (
    select id from operator where name = $12
), known as (
    select t.id from profile_type t join owner on t.operator_id = owner.id where t.name = $2
), fresh as (
    insert into profile_type (operator_id, name)
    select id, $2
      from owner
     where not exists (select from known)
        on conflict do nothing
 returning id
), made as (
    insert into profile (iccid, type_id, class, imsi, saip_version, services, upp_octets, metadata)
    select $1, kind.id, $3, $4, $5, $6, $7, $8
      from (select id from known union all select id from fresh) kind
        on conflict do nothing
 returning iccid, type_id
), rearmed as (
    update profile_type t
       set stock_low = false, stock_probe = 0
      from made
     where t.id = made.type_id and t.stock_low
       and profile_stock(t.id, t.low_water) + 1 >= t.low_water
), packed as (
    insert into profile_package (iccid, upp)
    select iccid, $9 from made
), audited as (
    insert into audit (actor, act, iccid, to_state, why)
    select $10, 'profile.import', iccid, 'available', $11 from made
)
select iccid, $2 as type_name from made
 union all
select u.iccid, $2 from profile_package u where u.iccid = $1 and u.upp = $9
 union all
select null, null where not exists (select from owner);

-- name: profile_find(iccid text) -> iccid text, state text     zero rows: none
select iccid, state from profile where iccid = $1;

-- name: profile_type_create(name text, keys text, on_delete text, actor text, operator_name text, low_water integer, imsi_low text, imsi_high text, ids bigint[], saip_versions bigint[], services bigint[], octets bigint[], metadata bytea[], upps bytea[], class text) -> type_id bigint     zero rows: conflict
-- Makes a type of an operator, perhaps with the templates of its first version; the same once more, with
-- the same numbers of templates, is a repetition. Absent: there is no such operator. Conflict: it exists
-- and is another.
with owner as (
    select id from operator where name = $5
), made as (
    insert into profile_type (operator_id, name, keys, on_delete, low_water, imsi_low, imsi_high,
                              template_version, class)
    select id, $1, $2, $3, $6, $7, $8, case when cardinality($9) > 0 then 1 end, $15 from owner
        on conflict do nothing
 returning id
), templates as (
    insert into template (id, type_id, version, rank, saip_version, services, upp_octets, metadata, upp)
    overriding system value
    select g.id, made.id, 1, g.nth, g.saip_version, g.services, g.octets, g.metadata, g.upp
      from made,
           unnest($9, $10, $11, $12, $13, $14) with ordinality
               as g (id, saip_version, services, octets, metadata, upp, nth)
), audited as (
    insert into audit (actor, act, why)
    select $4, 'profile-type.create',
           concat_ws(' ', 'operator=' || $5, 'name=' || $1, 'keys=' || $2, 'on_delete=' || $3,
                     'low_water=' || $6, 'imsi=' || $7 || '-' || $8,
                     'templates=' || nullif(cardinality($9), 0))
      from made
)
select id as type_id from made
 union all
select t.id
  from profile_type t
  join owner on t.operator_id = owner.id
 where t.name = $1 and t.keys = $2 and t.on_delete = $3 and t.low_water is not distinct from $6
   and t.imsi_low is not distinct from $7 and t.imsi_high is not distinct from $8
   and case when cardinality($9) > 0
            then exists (select from template v where v.type_id = t.id and v.id = any($9))
            else t.template_version is null end
 union all
select null where not exists (select from owner);
