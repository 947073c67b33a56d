-- By which call each step of an order was made: a hash of function, content and functionCallIdentifier, so that
-- of two calls of one client that differ in any of them one wins. Null: an administrator's, or before this was kept.
alter table download_order
    add column placed_mark     bytea,
    add column confirmed_mark  bytea,
    add column released_mark   bytea,
    add column cancelled_mark  bytea,
    add column confirmed_event text; -- a step of profile_move; null: not yet, or before this was kept
