//! Counts what the search reads, for the test that its cost is linear.

#[cfg(test)]
thread_local! {
    static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts bytes or characters that are read, whether by our loops or by the standard library's.
pub(super) fn count(read: usize) {
    #[cfg(test)]
    READ.with(|total| total.set(total.get() + read));
    #[cfg(not(test))]
    let _ = read;
}

#[cfg(test)]
pub(in crate::references) fn taken_by(task: impl FnOnce()) -> usize {
    let before = READ.get();
    task();
    READ.get() - before
}
