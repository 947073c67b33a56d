-- The audit trail: administrative acts that are no move, and the chain of seals over all entries. Facts
-- write their entries unchained, in their own statement; a seal takes what is surely complete.

-- name: audit_note(actor text, act text, why text) -> id bigint     zero rows: none
-- An act that has no statement of its own. Sent again it is there twice, which is true of trails.
insert into audit (actor, act, why)
values ($1, $2, $3)
returning id;

-- name: audit_seal(most integer) -> seal_id bigint, entries integer     zero rows: none
-- The next seal over at most so many entries, oldest first, that no running transaction can still add
-- to: their transactions are older than every running one, or (restored from a backup) younger than any
-- that this cluster has known. Only one instance seals at a time. Zero rows: nothing to seal, or
-- another is at it.
-- lane: background
with mine as materialized (
    select pg_try_advisory_xact_lock(hashtext('rspd audit seal')) as locked
), last as materialized (
    select id, hash from audit_seal order by id desc limit 1
), due as materialized (
    select a.id, a.at, audit_octets(a) as octets
      from audit a
     where a.seal_id is null and (select locked from mine)
       and (a.xid < pg_snapshot_xmin(pg_current_snapshot())
            or a.xid >= pg_snapshot_xmax(pg_current_snapshot()))
     order by a.id
     limit $1
), sealed as (
    insert into audit_seal (id, entries, prev_hash, hash)
    select coalesce((select id from last), 0) + 1,
           count(*),
           coalesce((select hash from last), '\x'),
           sha256(coalesce((select hash from last), '\x')
                  || string_agg(sha256(octets), ''::bytea order by id))
      from due
    having count(*) > 0
        on conflict do nothing -- another instance sealed between our look and our lock
 returning id, entries
), marked as (
    update audit a
       set seal_id = sealed.id
      from due, sealed
     where a.id = due.id and a.at = due.at
)
select id as seal_id, entries from sealed;

-- name: audit_check(after bigint, most integer) -> last bigint, seals bigint, entries bigint, broken bigint, unsealed bigint, orphans bigint     zero rows: none
-- Computes the chain anew for the seals that follow `after`: how many were looked at and up to which,
-- the first that does not hold (absent: all do), how many entries have no seal yet, and how many name
-- a seal beyond the last: the end of the chain was cut off. All in one snapshot, for seals are made
-- meanwhile.
-- lane: background
with looked as materialized (
    select s.id, s.entries, s.prev_hash, s.hash
      from audit_seal s
     where s.id > $1
     order by s.id
     limit $2
), again as (
    select l.id,
           coalesce(count(a.id) = l.entries
                    and l.hash = sha256(l.prev_hash
                                        || string_agg(sha256(audit_octets(a)), ''::bytea order by a.id))
                    and l.prev_hash = coalesce((select p.hash from audit_seal p where p.id = l.id - 1),
                                               case when l.id = 1 then '\x'::bytea end),
                    false) as holds,
           count(a.id) as entries
      from looked l
      left join audit a on a.seal_id = l.id
     group by l.id, l.entries, l.prev_hash, l.hash
)
select coalesce(max(id), $1)                                         as last,
       count(*)                                                      as seals,
       coalesce(sum(entries), 0)::bigint                             as entries,
       min(id) filter (where not holds)                              as broken,
       (select count(*) from audit where seal_id is null)            as unsealed,
       (select count(*)
          from audit
         where seal_id > (select coalesce(max(id), 0) from audit_seal)) as orphans
  from again;

-- name: sealed_packages(key_id bytea, after text, octets bigint) -> iccid text, upp bytea     zero rows: none
-- Packages beyond this ICCID that another key than this one sealed: as many as these octets hold, at
-- least one.
-- lane: background
select x.iccid, x.upp
  from (select y.iccid, y.upp,
               sum(length(y.upp)) over (order by y.iccid) as total,
               row_number() over (order by y.iccid) as nth
          from (select iccid, upp
                  from profile_package
                 where iccid > $2 and substring(upp from 2 for 4) <> $1
                 order by iccid
                 limit 256) y) x
 where x.nth = 1 or x.total <= $3
 order by x.iccid;

-- name: sealed_packages_left(key_id bytea) -> packages bigint, seeds bigint, templates bigint, personal bigint     zero rows: none
-- What another key than this one sealed.
-- lane: background
select (select count(*) from profile_package where substring(upp from 2 for 4) <> $1) as packages,
       (select count(*) from binding where substring(seed from 2 for 4) <> $1)        as seeds,
       (select count(*) from template where substring(upp from 2 for 4) <> $1)        as templates,
       (select count(*) from profile where substring(personal from 2 for 4) <> $1)    as personal;

-- name: packages_reseal(iccids text[], former bytea[], fresh bytea[]) -> done bigint     zero rows: none
-- Replaces exactly what was read; what changed meanwhile was sealed with the current key.
-- lane: background
with given as (
    select * from unnest($1, $2, $3) as g (iccid, former, fresh)
), done as (
    update profile_package p
       set upp = given.fresh
      from given
     where p.iccid = given.iccid and p.upp = given.former
 returning p.iccid
)
select count(*) as done from done;

-- name: sealed_seeds(key_id bytea, after bigint) -> order_id bigint, seed bytea     zero rows: none
-- Seeds of bindings of orders beyond this one that another key than this one sealed.
-- lane: background
select order_id, seed
  from binding
 where order_id > $2 and substring(seed from 2 for 4) <> $1
 order by order_id
 limit 256;

-- name: seeds_reseal(orders bigint[], former bytea[], fresh bytea[]) -> done bigint     zero rows: none
-- lane: background
with given as (
    select * from unnest($1, $2, $3) as g (order_id, former, fresh)
), done as (
    update binding b
       set seed = given.fresh
      from given
     where b.order_id = given.order_id and b.seed = given.former
 returning b.order_id
)
select count(*) as done from done;

-- name: sealed_templates(key_id bytea, after bigint) -> template_id bigint, upp bytea     zero rows: none
-- The next template that another key than this one sealed.
-- lane: background
select id as template_id, upp
  from template
 where id > $2 and substring(upp from 2 for 4) <> $1
 order by id
 limit 1;

-- name: templates_reseal(ids bigint[], former bytea[], fresh bytea[]) -> done bigint     zero rows: none
-- lane: background
with given as (
    select * from unnest($1, $2, $3) as g (id, former, fresh)
), done as (
    update template v set upp = given.fresh from given where v.id = given.id and v.upp = given.former
 returning v.id
)
select count(*) as done from done;

-- name: sealed_personal(key_id bytea, after text) -> iccid text, personal bytea     zero rows: none
-- Personal data of profiles beyond this ICCID that another key than this one sealed.
-- lane: background
select iccid, personal
  from profile
 where iccid > $2 and substring(personal from 2 for 4) <> $1
 order by iccid
 limit 1000;

-- name: personal_reseal(iccids text[], former bytea[], fresh bytea[]) -> done bigint     zero rows: none
-- lane: background
with given as (
    select * from unnest($1, $2, $3) as g (iccid, former, fresh)
), done as (
    update profile p
       set personal = given.fresh
      from given
     where p.iccid = given.iccid and p.personal = given.former
 returning p.iccid
)
select count(*) as done from done;

-- name: audit_prepare() -> prepared boolean     zero rows: none
-- Makes the partitions that the audit trail will need next.
-- lane: background
-- writes
select audit_partitions() is not null as prepared;
