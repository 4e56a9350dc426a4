/// How far the deletion of a secret has got whose name is still held by the store.
///
/// Some stores keep a deleted secret for a while, so that it can be brought back. Until it is gone
/// for good, its name cannot be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SoftDeleteState {
    /// Deleted and kept: the name is free once the secret is purged, or once the retention is over.
    Deleted,
    /// The store is still at work deleting it. Trying again later may show another state.
    BeingDeleted,
    /// The store is bringing it back. Once that is done, the name belongs to a live secret.
    BeingRecovered,
}
