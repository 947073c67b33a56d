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

-- name: profile_type_create(name text, keys text, on_delete text, actor text, operator_name text, low_water integer, imsi_low text, imsi_high text, ids bigint[], saip_versions bigint[], services bigint[], octets bigint[], metadata bytea[], upps bytea[], class text, shared_imsi boolean) -> type_id bigint     zero rows: conflict
-- Makes a type of an operator, perhaps with the templates of its first version; the same once more, with
-- the same numbers of templates, is a repetition. Absent: there is no such operator. Conflict: it exists
-- and is another.
with owner as (
    select id from operator where name = $5
), made as (
    insert into profile_type (operator_id, name, keys, on_delete, low_water, imsi_low, imsi_high,
                              template_version, class, shared_imsi)
    select id, $1, $2, $3, $6, $7, $8, case when cardinality($9) > 0 then 1 end, $15, coalesce($16, false)
      from owner
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
                     case when $16 then 'shared_imsi=true' end,
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
   and t.shared_imsi = coalesce($16, false)
   and case when cardinality($9) > 0
            then exists (select from template v where v.type_id = t.id and v.id = any($9))
            else t.template_version is null end
 union all
select null where not exists (select from owner);

-- name: profile_type_set(name text, operator_name text, low_water integer, imsi_low text, imsi_high text, any_imsi boolean, shared_imsi boolean, actor text, why text) -> view jsonb     zero rows: none
-- Changes what is not null here, for the orders and loads to come; a low-water mark of 0 goes, and with any_imsi
-- the range does. Stock below a new mark is told at once. None: there is no such type of this operator.
with known as (
    select t.id, t.name, w.name as operator,
           case when $3 is null then t.low_water else nullif($3, 0) end as low_water,
           t.operator_id, coalesce($3, t.low_water, 0) <> coalesce(t.low_water, 0) as marked,
           case when not $6 then coalesce($4, t.imsi_low) end as imsi_low,
           case when not $6 then coalesce($5, t.imsi_high) end as imsi_high,
           coalesce($7, t.shared_imsi) as shared_imsi
      from profile_type t
      join operator w on w.id = t.operator_id
     where w.name = $2 and t.name = $1
), probed as materialized (
    select k.*, case when marked and low_water is not null then profile_stock(id, low_water) end as stock
      from known k
), changed as (
    update profile_type t
       set low_water = k.low_water, imsi_low = k.imsi_low, imsi_high = k.imsi_high,
           shared_imsi = k.shared_imsi,
           stock_low = case when k.marked then coalesce(k.stock < k.low_water, false) else t.stock_low end,
           stock_probe = case when k.marked then 0 else t.stock_probe end,
           alert_seq = t.alert_seq + coalesce(k.stock < k.low_water, false)::integer
      from probed k
     where t.id = k.id
       and (t.low_water, t.imsi_low, t.imsi_high, t.shared_imsi)
           is distinct from (k.low_water, k.imsi_low, k.imsi_high, k.shared_imsi)
 returning k.*, t.alert_seq
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, 'type-' || id, alert_seq, 'alert.stock-low',
           jsonb_build_object('profileType', name, 'stock', stock, 'lowWater', low_water)
      from changed
     where stock < low_water
), audited as (
    insert into audit (actor, act, why)
    select $8, 'profile-type.set',
           concat_ws(' ', 'operator=' || operator, 'name=' || name, 'low_water=' || coalesce(low_water, 0),
                     'imsi=' || coalesce(imsi_low || '-' || imsi_high, 'any'), 'shared_imsi=' || shared_imsi,
                     nullif($9, ''))
      from changed
)
select jsonb_strip_nulls(jsonb_build_object(
           'name', name, 'operator', operator, 'lowWater', low_water,
           'imsiRange', imsi_low || '-' || imsi_high, 'sharedImsi', shared_imsi)) as view
  from known;
