-- Operators (tenants) and the certificates of their clients (docs/operators.md). Every instance holds
-- the certificates in memory, so that a call costs no statement to know who calls; the digest tells
-- whether what it holds is still what is here.

-- name: operator_add(name text, requester text, expired boolean, remember boolean, test_ci boolean, actor text, why text) -> name text     zero rows: conflict
-- The same once more is a repetition. Conflict: it exists and is another, or the requester identifier is
-- another operator's.
with made as (
    insert into operator (name, requester_identifier, expired_certificates, remember_calls, test_ci)
    values ($1, $2, coalesce($3, false), coalesce($4, true), coalesce($5, false))
        on conflict do nothing
 returning name
), audited as (
    insert into audit (actor, act, why)
    select $6, 'operator.add', 'name=' || name || coalesce(' requester=' || $2, '') || ' ' || $7 from made
)
select name from made
 union all
select o.name
  from operator o
 where o.name = $1 and o.requester_identifier is not distinct from $2
   and o.expired_certificates = coalesce($3, false) and o.remember_calls = coalesce($4, true)
   and o.test_ci = coalesce($5, false);

-- name: operator_set(name text, requester text, any_requester boolean, expired boolean, remember boolean, test_ci boolean, actor text, why text) -> name text     zero rows: none
-- What is absent stays. None: there is no such operator. Name absent: the requester identifier is another
-- operator's.
with taken as (
    select from operator o where o.requester_identifier = $2 and o.name <> $1
), wanted as (
    select o.id, o.name,
           case when $3 then null else coalesce($2, o.requester_identifier) end as requester,
           coalesce($4, o.expired_certificates) as expired,
           coalesce($5, o.remember_calls) as remember,
           coalesce($6, o.test_ci) as test_ci
      from operator o
     where o.name = $1
), changed as (
    update operator o
       set requester_identifier = w.requester, expired_certificates = w.expired,
           remember_calls = w.remember, test_ci = w.test_ci
      from wanted w
     where o.id = w.id and not exists (select from taken)
       and (o.requester_identifier, o.expired_certificates, o.remember_calls, o.test_ci)
           is distinct from (w.requester, w.expired, w.remember, w.test_ci)
 returning o.name, o.requester_identifier, o.expired_certificates, o.remember_calls, o.test_ci
), audited as (
    insert into audit (actor, act, why)
    select $7, 'operator.set',
           'name=' || name || coalesce(' requester=' || requester_identifier, '')
           || ' expired=' || expired_certificates || ' remember=' || remember_calls
           || ' test-ci=' || test_ci || ' ' || $8
      from changed
)
select case when not exists (select from taken) then name end as name from wanted;

-- name: operator_remove(name text, actor text, why text) -> name text     zero rows: conflict
-- Together with its clients and what their calls are remembered by. Conflict: it has profile types. One
-- that is not there is removed already.
with was as (
    select o.id, o.name
      from operator o
     where o.name = $1
       and not exists (select from profile_type t where t.operator_id = o.id)
       for update
), forgotten as (
    delete from operator_call c
     using operator_client k, was
     where k.operator_id = was.id and c.client_id = k.id
), gone as (
    delete from operator o using was where o.id = was.id
), audited as (
    insert into audit (actor, act, why)
    select $2, 'operator.remove', 'name=' || name || ' ' || $3 from was
)
select name from was
 union all
select $1 where not exists (select from operator where name = $1);

-- name: operator_client_add(operator_name text, kind text, certificate bytea, sha256 bytea, subject text, not_after timestamptz, actor text, why text) -> client_id bigint, added boolean     zero rows: conflict
-- A client that this operator has already is answered with its number. Absent: there is no such operator.
-- Conflict: it is another operator's.
with owner as (
    select id, name from operator where name = $1
), made as (
    insert into operator_client (operator_id, kind, certificate, sha256, subject, not_after)
    select id, $2, $3, $4, $5, $6 from owner
        on conflict do nothing
 returning id
), audited as (
    insert into audit (actor, act, why)
    select $7, 'operator.client-add',
           'operator=' || $1 || ' client=' || id || ' ' || $2 || ' sha256=' || encode($4, 'hex')
           || ' subject=' || $5 || ' ' || $8
      from made
)
select id as client_id, true as added from made
 union all
select c.id, false
  from operator_client c
  join owner on c.operator_id = owner.id
 where c.kind = $2 and c.sha256 = $4 and (c.subject = $5 or $2 = 'pin')
 union all
select null, false where not exists (select from owner);

-- name: operator_client_remove(operator_name text, client_id bigint, actor text, why text) -> client_id bigint     zero rows: none
-- One that is not there any more is removed already. None: this operator never had such a client.
-- writes
with gone as (
    delete from operator_client c
     using operator o
     where c.id = $2 and o.id = c.operator_id and o.name = $1
 returning c.id, c.kind, c.sha256, c.subject
), forgotten as (
    delete from operator_call c using gone where c.client_id = gone.id
), audited as (
    insert into audit (actor, act, why)
    select $3, 'operator.client-remove',
           'operator=' || $1 || ' client=' || id || ' ' || kind || ' sha256=' || encode(sha256, 'hex')
           || ' subject=' || subject || ' ' || $4
      from gone
)
select id as client_id from gone
 union all
select $2
  from operator_client_id_seq s
 where $2 between 1 and s.last_value and s.is_called
   and not exists (select from operator_client c where c.id = $2);

-- name: operator_digest() -> digest text     zero rows: none
-- lane: background
select coalesce(md5(string_agg(c.id || '/' || o.name || '/' || coalesce(o.requester_identifier, '') || '/'
                               || o.expired_certificates || '/' || o.remember_calls,
                               ',' order by c.id)), '') as digest
  from operator_client c
  join operator o on o.id = c.operator_id;

-- name: operator_clients(after bigint, most integer) -> client_id bigint, operator_id bigint, operator_name text, requester text, expired boolean, remember boolean, pinned boolean, certificate bytea, sha256 bytea, subject text     zero rows: none
-- lane: background
select c.id as client_id, c.operator_id, o.name as operator_name, o.requester_identifier as requester,
       o.expired_certificates as expired, o.remember_calls as remember, c.kind = 'pin' as pinned,
       case c.kind when 'ca' then c.certificate end as certificate, c.sha256, c.subject
  from operator_client c
  join operator o on o.id = c.operator_id
 where c.id > $1
 order by c.id
 limit $2;
