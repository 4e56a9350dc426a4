// The recipe of the documentation of `Edit::apply`; main.rs compares them.

use std::time::Duration;

use truefoundry_secrets::{AppliedEdit, BoxError, Edit, Error};

/// Applies an edit of `group` while no other process edits it that asks for this lock.
pub(crate) async fn apply_locked(
    postgres: &tokio_postgres::Client, // not shared: a session gets its own lock again
    group: &str,
    wait: Duration, // how long a write may be under way: 60 s, as `unconfirmed_write_timeout`
    edit: Edit,
) -> Result<AppliedEdit, BoxError> {
    postgres.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", &[&group]).await?;
    let mark = "INSERT INTO group_writes VALUES ($1) ON CONFLICT DO NOTHING";
    if postgres.execute(mark, &[&group]).await? == 0 {
        tokio::time::sleep(wait).await; // the last holder's write may still arrive
    }
    let applied = edit.apply().await;
    if !applied.as_ref().is_err_and(Error::may_have_been_applied) {
        postgres.execute("DELETE FROM group_writes WHERE name = $1", &[&group]).await?;
    }
    postgres.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", &[&group]).await?;
    Ok(applied?)
}
