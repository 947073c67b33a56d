-- The eUICCs of the eIM: bringing them in, what is known and believed of each, how fresh it is.

-- name: euicc_add(operator_name text, eids text[], euicc_certificates bytea[], eum_certificates bytea[], curves bigint[], points bytea[], test_cis bigint[], tokens text[], counters bigint[], imeis text[], injects text[], actor text, why text) -> eid text, outcome text     zero rows: none
-- One eUICC or a thousand, a place in each array for each. Point and certificates absent: it will say. Tokens: a
-- number, empty for none, absent for not known. Outcome: added, same (as it was added before) or known (and is
-- another, or another operator's). None: there is no such operator.
with owner as (
    select id from operator where name = $1
), given as materialized (
    select *
      from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           as x(eid, euicc_certificate, eum_certificate, curve, point, test_ci, token, counter, imei, inject)
), made as (
    insert into euicc (eid, operator_id, added_by, euicc_certificate, eum_certificate, curve, point, test_ci,
                       token, token_standing, counter, imei, inject)
    select g.eid, owner.id, $12, g.euicc_certificate, g.eum_certificate,
           case when g.point is not null then g.curve end, g.point, g.test_ci <> 0,
           nullif(g.token, '')::bigint, case when g.token is null then 'unknown' else 'given' end,
           g.counter, g.imei, g.inject
      from given g, owner
     order by g.eid
        on conflict do nothing
 returning eid
), audited as (
    insert into audit (actor, act, eid, why)
    select $12, 'euicc.add', eid, $13 from made
)
select g.eid,
       case when m.eid is not null then 'added'
            when u.operator_id = owner.id
             and u.euicc_certificate is not distinct from coalesce(g.euicc_certificate, u.euicc_certificate)
             and (g.token is null or u.token is not distinct from nullif(g.token, '')::bigint)
            then 'same'
            else 'known' end as outcome
  from owner
 cross join given g
  left join made m on m.eid = g.eid
  left join euicc u on u.eid = g.eid
 order by g.eid;

-- name: euicc_set(eid text, operator_id bigint, operator_name text, token text, counter bigint, inject text, actor text, why text) -> eid text, refused boolean     zero rows: none
-- What is absent stays; an empty text takes away. A token of an administrator counts as given; the counter only
-- goes up. Refused: there is no such operator. None: the eUICC is unknown, or another operator's.
with target as (
    select id from operator where name = $3
), was as (
    select * from euicc where eid = $1 and operator_id = coalesce($2, operator_id) for update
), wanted as (
    select was.eid,
           coalesce((select id from target), was.operator_id)                      as operator_id,
           case when $4 is null then was.token else nullif($4, '')::bigint end      as token,
           case when $4 is null then was.token_standing else 'given' end            as token_standing,
           case when $4 is null then was.candidate end                              as candidate,
           case when $4 is null then was.candidate_state end                        as candidate_state,
           case when $4 is null then was.closed_at end                              as closed_at,
           greatest(was.counter, coalesce($5, 0))                                   as counter,
           case when $6 is null then was.inject else nullif($6, '') end             as inject
      from was
     where $3 is null or exists (select from target)
), changed as (
    update euicc u
       set operator_id = w.operator_id, token = w.token, token_standing = w.token_standing,
           candidate = w.candidate, candidate_state = w.candidate_state, closed_at = w.closed_at,
           counter = w.counter, inject = w.inject
      from wanted w
     where u.eid = w.eid
       and (u.operator_id, u.token, u.token_standing, u.candidate, u.candidate_state, u.closed_at,
            u.counter, u.inject)
           is distinct from (w.operator_id, w.token, w.token_standing, w.candidate, w.candidate_state,
                             w.closed_at, w.counter, w.inject)
 returning u.eid
), audited as (
    insert into audit (actor, act, eid, why)
    select $7, 'euicc.set', eid,
           concat_ws(' ', 'operator=' || $3, 'token=' || $4, 'counter=' || $5, 'inject=' || $6, $8)
      from changed
)
select was.eid, not exists (select from wanted) as refused from was;

-- name: euicc_remove(eid text, operator_id bigint, actor text, why text) -> eid text     zero rows: none
-- With all that is known of it, and its queue. None: it is unknown, or another operator's.
with was as (
    select eid from euicc where eid = $1 and operator_id = coalesce($2, operator_id) for update
), freed as (
    delete from euicc u using was where u.eid = was.eid returning u.eid
), audited as (
    insert into audit (actor, act, eid, why)
    select $3, 'euicc.remove', eid, $4 from freed
)
select eid from freed;

-- name: euicc_fence(eid text, step bigint, actor text, why text) -> lifted bigint     zero rows: none
-- After a restore from a backup counters of packages may be unknown here that are used up there: those of one
-- eUICC, or (absent) of all, are lifted (RULES 5.1). A repetition lifts them once more: gaps do no harm.
-- lane: background
with lifted as (
    update euicc u
       set counter = u.counter + $2
     where u.eid in (select e.eid from euicc e where e.eid >= coalesce($1, '') and ($1 is null or e.eid = $1)
                      order by e.eid for update)
 returning u.eid
), audited as (
    insert into audit (actor, act, eid, why)
    select $3, 'eim.fence', $1, 'by ' || $2 || ' ' || $4
)
select count(*) as lifted from lifted;

-- name: euicc_learn(eid text, info1 bytea, info2 bytea, iot_version integer, features integer, protocols integer, tac text, imei text, default_smdp text, root_smds text, euicc_certificate bytea, eum_certificate bytea, curve smallint, point bytea, test_ci boolean, token bigint, has_token boolean) -> eid text     zero rows: none
-- What an eUICC and its IPA say of themselves; what is absent stays as it was known. Certificates and key come
-- only of a chain that verified for this EID. A token that differs from the one in use is a candidate, tried once;
-- one that was tried stays so.
update euicc u
   set info1 = coalesce($2, u.info1),
       info2 = coalesce($3, u.info2),
       iot_version = coalesce($4, u.iot_version),
       features = coalesce($5, u.features),
       protocols = coalesce($6, u.protocols),
       tac = coalesce($7, u.tac),
       imei = coalesce($8, u.imei),
       default_smdp = coalesce($9, u.default_smdp),
       root_smds = coalesce($10, u.root_smds),
       euicc_certificate = coalesce($11, u.euicc_certificate),
       eum_certificate = coalesce($12, u.eum_certificate),
       curve = coalesce($13, u.curve),
       point = coalesce($14, u.point),
       test_ci = case when $14 is null then u.test_ci else $15 end,
       candidate = case when $17 and u.token is distinct from $16 then $16 else u.candidate end,
       candidate_state = case when not $17 or u.token is not distinct from $16 then u.candidate_state
                              when u.candidate_state is not null and u.candidate is not distinct from $16
                              then u.candidate_state
                              else 'fresh' end
 where u.eid = $1
returning u.eid;

-- name: euicc_admit(eid text, operator_name text, euicc_certificate bytea, eum_certificate bytea, curve smallint, point bytea, test_ci boolean) -> eid text     zero rows: none
-- An unknown eUICC that may come in by rule, and has shown certificates that verify. None: there is no such
-- operator; who is in already stays as he is.
with made as (
    insert into euicc (eid, operator_id, added_by, euicc_certificate, eum_certificate, curve, point, test_ci)
    select $1, o.id, 'rspd', $3, $4, $5, $6, $7
      from operator o
     where o.name = $2
        on conflict do nothing
 returning eid
), audited as (
    insert into audit (actor, act, eid, why)
    select 'rspd', 'euicc.add', eid, 'admitted by its EUM' from made
)
select eid from made
 union all
select eid from euicc where eid = $1;

-- name: euicc_find(eid text, operator_id bigint) -> eid text, operator_name text, added_at timestamptz, added_by text, proven boolean, curve smallint, euicc_certificate bytea, eum_certificate bytea, test_ci boolean, info1 bytea, info2 bytea, iot_version integer, features integer, protocols integer, tac text, imei text, default_smdp text, root_smds text, learnt_at timestamptz, counter bigint, token bigint, token_standing text, candidate bigint, candidate_state text, signature_form text, enabled text, listed_at timestamptz, outstanding bigint, barrier bigint, closed_at timestamptz, last_seen timestamptz, last_cause smallint, last_cause_at timestamptz, inject text, waiting bigint, unknown bigint     zero rows: none
-- One eUICC with all that is known of it. Proven: its key is known. Versions and bits that are not known are -1.
select u.eid, o.name as operator_name, u.added_at, u.added_by, u.point is not null as proven,
       coalesce(u.curve, -1::smallint) as curve, u.euicc_certificate, u.eum_certificate, u.test_ci, u.info1, u.info2,
       coalesce(u.iot_version, -1) as iot_version,
       coalesce(u.features, -1)    as features,
       coalesce(u.protocols, -1)   as protocols,
       u.tac, u.imei, u.default_smdp, u.root_smds, u.learnt_at, u.counter, u.token, u.token_standing,
       u.candidate, u.candidate_state, u.signature_form, u.enabled, u.listed_at, u.outstanding, u.barrier,
       u.closed_at, u.last_seen, coalesce(u.last_cause, -1::smallint) as last_cause, u.last_cause_at, u.inject,
       (select count(*) from eim_package p where p.eid = u.eid and p.state = 'waiting') as waiting,
       (select count(*) from eim_package p where p.eid = u.eid and p.state = 'unknown') as unknown
  from euicc u
  join operator o on o.id = u.operator_id
 where u.eid = $1 and u.operator_id = coalesce($2, u.operator_id);

-- name: euicc_profiles(eid text, most integer) -> iccid text, state text, fallback boolean, class text, name text, provider text, since timestamptz, evidence text, evidence_at timestamptz, package_id bigint     zero rows: none
-- What is believed of its profiles, with the evidence for each.
select b.iccid, b.state, b.fallback, b.class, b.name, b.provider, b.since, b.evidence, b.evidence_at,
       b.package_id
  from euicc_profile b
 where b.eid = $1
 order by b.iccid
 limit $2;

-- name: euicc_eims(eid text, most integer) -> eim_id text, id_type smallint, evidence_at timestamptz, package_id bigint     zero rows: none
-- The eIMs that its last signed listEim named.
select e.eim_id, coalesce(e.id_type, 0::smallint) as id_type, e.evidence_at, e.package_id
  from euicc_eim e
 where e.eid = $1
 order by e.eim_id
 limit $2;

-- name: euicc_list(after text, most integer, operator_name text, prefix text, silent_since timestamptz, with_unknown boolean) -> eid text, operator_name text, last_seen timestamptz, enabled text, profiles bigint, waiting bigint, unknown bigint, closed boolean, proven boolean     zero rows: none
-- eUICCs in the order of their EIDs, from behind `after` on; of one operator, with a prefix, not seen since a time,
-- or with packages whose end is unknown.
select u.eid, o.name as operator_name, u.last_seen, u.enabled,
       (select count(*) from euicc_profile b where b.eid = u.eid and b.state <> 'deleted') as profiles,
       (select count(*) from eim_package p where p.eid = u.eid and p.state in ('waiting', 'out')) as waiting,
       (select count(*) from eim_package p where p.eid = u.eid and p.state = 'unknown') as unknown,
       u.closed_at is not null as closed,
       u.point is not null     as proven
  from euicc u
  join operator o on o.id = u.operator_id
 where u.eid > coalesce($1, '') and u.eid >= coalesce($4, '') and u.eid <= coalesce($4, '') || '~'
   and ($3 is null or u.operator_id = (select id from operator where name = $3))
   and ($5 is null or coalesce(u.last_seen < $5, true))
   and ($6 is not true or exists (select from eim_package p where p.eid = u.eid and p.state = 'unknown'))
 order by u.eid
 limit $2;
