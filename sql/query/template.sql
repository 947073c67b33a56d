-- Templates of profile types: packages that profiles are made of when they are bound.

-- name: template_prepare(type_name text, operator_name text, count integer) -> template_id bigint, operator_id bigint, type_id bigint, version integer, rank integer, class text, loads bigint, fields_all bigint, fields_any bigint, details bytea     zero rows: none
-- What adding templates needs before it writes: a number for each, under which it is sealed and by which the
-- write knows its own repetition; the type and its newest version with the last rank of it; how many loads
-- it had, and what their profiles have (details: 8 octets each). Absent: not known.
select nextval('template_id_seq') as template_id, w.id as operator_id, t.id as type_id,
       coalesce(t.template_version, 0) as version,
       coalesce((select max(v.rank) from template v
                  where v.type_id = t.id and v.version = t.template_version), 0) as rank,
       t.class, have.loads, coalesce(have.fields_all, -1) as fields_all,
       coalesce(have.fields_any, 0) as fields_any,
       (select string_agg(int8send(d.detail), '')
          from (select distinct unnest(l.details) as detail
                  from profile_load l where l.type_id = t.id) d) as details
  from generate_series(1, $3)
  left join operator w on w.name = $2
  left join profile_type t on t.operator_id = w.id and t.name = $1
  cross join lateral (select count(*) as loads, bit_and(l.fields_all) as fields_all,
                             bit_or(l.fields_any) as fields_any
                        from profile_load l where l.type_id = t.id) have;

-- name: template_add(type_id bigint, version integer, former integer, rank integer, loads bigint, ids bigint[], saip_versions bigint[], services bigint[], octets bigint[], metadata bytea[], upps bytea[], class text, actor text, why text) -> version integer     zero rows: conflict
-- Templates beside those there: a version of their own, or variants of the newest from this rank on. The
-- same numbers are a repetition. Conflict: the type has another version or class by now, or another number
-- of loads than these were held against.
-- lane: background
with was as (
    select t.id, t.name
      from profile_type t
     where t.id = $1 and profile_type_loads(t.id) = $5
       and coalesce(t.template_version, 0) = $3 and coalesce(t.class, $12) = $12
       and not exists (select from template v where v.type_id = $1 and v.version = $2 and v.rank >= $4)
       for no key update
), made as (
    insert into template (id, type_id, version, rank, saip_version, services, upp_octets, metadata, upp)
    overriding system value
    select g.id, was.id, $2, $4 + g.nth - 1, g.saip_version, g.services, g.octets, g.metadata, g.upp
      from was,
           unnest($6, $7, $8, $9, $10, $11) with ordinality
               as g (id, saip_version, services, octets, metadata, upp, nth)
 returning version
), moved as (
    update profile_type t set template_version = $2, class = $12 from was where t.id = was.id
), audited as (
    insert into audit (actor, act, why)
    select $13, 'profile-type.template',
           concat_ws(' ', 'type=' || name, 'version=' || $2, 'rank=' || $4,
                     'templates=' || cardinality($6), nullif($14, ''))
      from was
)
select version from made
 union
select version from template where id = any($6);

-- name: template_load_type(type_name text, operator_name text) -> operator_id bigint, type_id bigint, version integer, class text, imsi_low text, imsi_high text     zero rows: none
-- What a bulk load needs to know of its type. Absent: not known; no version: it has no template.
select w.id as operator_id, t.id as type_id, coalesce(t.template_version, 0) as version, t.class, t.imsi_low,
       t.imsi_high
  from (values (1)) as always
  left join operator w on w.name = $2
  left join profile_type t on t.operator_id = w.id and t.name = $1;

-- name: template_version_list(type_id bigint, version integer) -> template_id bigint, metadata bytea, upp bytea     zero rows: none
-- The variants of a version, the first choice first.
select id as template_id, metadata, upp
  from template
 where type_id = $1 and version = $2
 order by rank;

-- name: template_find(template_id bigint) -> upp bytea     zero rows: none
select upp from template where id = $1;
