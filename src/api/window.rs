//! Which part of a list is requested.

use serde::Serialize;

use crate::models::DEFAULT_LIMIT;

/// The limit and the offset of a page.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Window {
    pub(super) limit: u64,
    pub(super) offset: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, offset: 0 }
    }
}

/// Parameters of a paged list.
pub(super) trait Paged: Clone + Send + Sync + 'static {
    fn window(&mut self) -> &mut Window;
}

/// The setters that all list parameters share.
macro_rules! window_setters {
    ($params:ident, $items:literal) => {
        impl $params {
            #[doc = concat!("The maximum number of ", $items, " on a page. Default: 100.")]
            #[must_use]
            pub fn limit(mut self, limit: u64) -> Self {
                $crate::api::window::Paged::window(&mut self).limit = limit;
                self
            }

            #[doc = concat!("How many ", $items, " to skip. Default: 0.")]
            #[must_use]
            pub fn offset(mut self, offset: u64) -> Self {
                $crate::api::window::Paged::window(&mut self).offset = offset;
                self
            }
        }
    };
}
pub(super) use window_setters;
