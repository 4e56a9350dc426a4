//! What a failed response says: its body, what kind of failure it is, and which of the request's own names it
//! is about.

mod body;
mod class;
mod extract;
mod html;
mod media_type;
mod rules;

pub(crate) use body::{ErrorBody, cut, parse, stated_failure};
pub(crate) use class::{ErrorClass, classify};
pub(crate) use extract::{key_named, secret_named};
pub(crate) use media_type::other_than_json;
