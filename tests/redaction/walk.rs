//! The walker: every printed form of a thing, and the record of what was walked.

use std::any::type_name;
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::{Debug, Display, Write as _};

use serde::Serialize;
use truefoundry_secrets::{CallContext, Error, SoftDeleted};

use crate::api::Snapshot;
use crate::capture::{self, panic_message};
use crate::secrets::{Needles, VALUES};

pub(crate) struct Walk {
    /// All the values, and every key that was used.
    needles: Needles,
    keys: Vec<String>,
    books: Books,
}

/// What was walked.
#[derive(Clone, Default)]
pub(crate) struct Books {
    logged: BTreeSet<&'static str>,
    types: BTreeSet<String>,
    displayed: BTreeSet<String>,
    serialized: BTreeSet<String>,
    variants: BTreeSet<String>,
}

/// Marks of the libraries whose logs must be captured.
const LOGGED_BY: [&str; 2] = ["log: DEBUG reqwest", "TRACE hyper_util"];
const LOGGED_BY_US: [&str; 2] = ["truefoundry_secrets.call", "truefoundry_secrets.attempt"];

impl Walk {
    /// Of one area, on this thread.
    pub(crate) fn begin() -> Self {
        capture::begin();
        Self { needles: Needles::of(VALUES), keys: Vec::new(), books: Books::default() }
    }

    pub(crate) fn end(mut self) -> Books {
        self.look_at_logs("what came last");
        self.books
    }

    /// From here on this API key is looked for, too.
    pub(crate) fn uses_key(&mut self, key: &str) {
        self.keys.push(key.to_owned());
        self.needles = Needles::of(VALUES.into_iter().chain(self.keys.iter().map(String::as_str)));
    }

    /// Fails if a secret is in `text`.
    #[track_caller]
    pub(crate) fn look(&self, what: &str, text: &str) {
        Self::look_for(&self.needles, what, text);
    }

    #[track_caller]
    fn look_for(needles: &Needles, what: &str, text: &str) {
        if let Some(found) = needles.find(text) {
            let line = text.lines().find(|line| line.to_ascii_lowercase().contains(found));
            panic!("{what} shows {found:?} in\n{}", line.unwrap_or(text));
        }
    }

    /// Fails if a secret is in what was logged since the last check.
    #[track_caller]
    pub(crate) fn look_at_logs(&mut self, what: &str) {
        let logged = capture::drain();
        for mark in LOGGED_BY.into_iter().chain(LOGGED_BY_US) {
            if logged.contains(mark) {
                self.books.logged.insert(mark);
            }
        }
        self.look(&format!("the log of {what}"), &logged);
    }

    /// Checks a type's `Debug`, and the message of a panic with it.
    #[track_caller]
    pub(crate) fn debug<T: Debug>(&mut self, thing: &T) {
        let mut text = format!("{thing:?}\n{thing:#?}\n{:?}\n", Some(thing));
        text.push_str(&panic_message(|| panic!("not expected: {thing:?}")));
        text.push_str(&unwrapped(Err(thing)));
        self.look(type_name::<T>(), &text);
        self.books.types.extend(public_name::<T>());
    }

    #[track_caller]
    pub(crate) fn display<T: Display>(&mut self, thing: &T) {
        let text = format!("{thing}\n{thing:#}\n{thing:>40}\n{thing:.3}");
        let panicked = panic_message(|| panic!("not expected: {thing}"));
        self.look(type_name::<T>(), &format!("{text}\n{panicked}"));
        self.books.displayed.extend(public_name::<T>());
    }

    #[track_caller]
    pub(crate) fn serialize<T: Serialize>(&mut self, thing: &T) {
        let name = type_name::<T>();
        let text = serde_json::to_string(thing).unwrap();
        let pretty = serde_json::to_string_pretty(thing).unwrap();
        assert!(text.len() > 2, "{name} is serialized as {text}");
        self.look(name, &format!("{text}\n{pretty}"));
        self.books.serialized.extend(public_name::<T>());
    }

    /// Checks everything that an error prints.
    #[track_caller]
    pub(crate) fn error(&mut self, what: &str, error: Error) {
        let text = Self::texts_of(&error);
        self.books.variants.insert(variant(&error));
        if let Some(context) = error.context() {
            self.debug(context);
        }
        self.debug(&error);
        self.display(&error);
        self.look(what, &format!("{text}\n{}", unwrapped(Err(error))));
    }

    /// As [`error`](Self::error), for many errors: looks for these only.
    #[track_caller]
    pub(crate) fn error_of(&mut self, needles: &Needles, what: &str, error: &Error) {
        self.books.variants.insert(variant(error));
        Self::look_for(needles, what, &Self::texts_of(error));
    }

    fn texts_of(error: &Error) -> String {
        let mut text = format!("{error}\n{error:?}\n{error:#?}\n{}\n", error.hint());
        let mut cause = error.source();
        while let Some(error) = cause {
            writeln!(text, "{error}\n{error:?}\n{error:#?}").unwrap();
            cause = error.source();
        }
        if let Some(context) = error.context() {
            text.push_str(&texts_of_context(context));
        }
        let id = error.request_id().unwrap_or_default();
        writeln!(text, "{id} {:?}", error.status()).unwrap();
        text.push_str(&texts_of_fields(error));
        text
    }
}

impl Books {
    pub(crate) fn add(&mut self, other: &Self) {
        self.logged.extend(&other.logged);
        self.types.extend(other.types.iter().cloned());
        self.displayed.extend(other.displayed.iter().cloned());
        self.serialized.extend(other.serialized.iter().cloned());
        self.variants.extend(other.variants.iter().cloned());
    }

    pub(crate) fn logs_were_captured(&self) {
        let own = if cfg!(feature = "tracing") { LOGGED_BY_US.as_slice() } else { &[] };
        for mark in LOGGED_BY.iter().chain(own) {
            assert!(self.logged.contains(mark), "no log has {mark:?}");
        }
    }

    /// Nothing that can hold a secret was left out.
    pub(crate) fn are_complete(&self, api: &Snapshot) {
        let missing = |all: &BTreeSet<String>, walked: &BTreeSet<String>| {
            all.difference(walked).cloned().collect::<Vec<_>>().join(", ")
        };
        let types = missing(&api.holders, &self.types);
        assert!(types.is_empty(), "not walked, but they hold a value or the key: {types}");
        let displayed = missing(&api.displayed, &self.displayed);
        assert!(displayed.is_empty(), "not walked, but they can be displayed: {displayed}");
        let serialized = missing(&api.serialized, &self.serialized);
        assert!(serialized.is_empty(), "not walked, but they can be serialized: {serialized}");
        let variants = missing(&api.error_variants, &self.variants);
        assert!(variants.is_empty(), "no failure in the walk was an Error:: {variants}");
    }
}

/// A type's name as users write it. It comes from the compiler, so that the record cannot have one
/// type under the name of another.
fn public_name<T>() -> Option<String> {
    let path = type_name::<T>().strip_prefix("truefoundry_secrets::")?;
    let path = path.split('<').next()?;
    let name = path.rsplit("::").next()?;
    let within = if path.starts_with("testing::") { "testing::" } else { "" };
    Some(format!("{within}{name}"))
}

/// The message of the panic of an `unwrap`.
fn unwrapped<E: Debug>(failed: Result<(), E>) -> String {
    panic_message(|| failed.unwrap())
}

fn texts_of_context(context: &CallContext) -> String {
    let said = [context.server_message(), context.server_details(), context.server_code()];
    let said: Vec<_> = said.into_iter().flatten().collect();
    let id = context.request_id();
    format!("{context} {said:?} {} {} {id:?} {context:?}", said.join(" "), context.path())
}

fn texts_of_fields(error: &Error) -> String {
    match error {
        Error::SoftDeleted { details, .. } => texts_of_soft_deleted(details),
        Error::NotFound { id, .. } | Error::ValueHidden { id, .. } => id.to_string(),
        Error::AlreadyExists { name, .. } => name.to_string(),
        Error::KeyNotSupported { key, suggestion, .. } => format!("{key} {suggestion:?}"),
        Error::InvalidRequest { problems, .. } => problems.join("\n"),
        Error::MissingFields { keys, .. } => keys.join("\n"),
        Error::UnexpectedRedirect { location, .. } => format!("{location:?}"),
        Error::Config { reason, .. } | Error::InvalidInput { reason, .. } => reason.to_string(),
        Error::PartiallyApplied { source, .. } => Walk::texts_of(source),
        _ => String::new(),
    }
}

fn texts_of_soft_deleted(details: &SoftDeleted) -> String {
    let mut text = format!("{details} {details:?} {:?}", details.name());
    for option in details.recovery_options() {
        write!(text, "\n{option} {option:?}").unwrap();
    }
    text
}

/// The variant's name.
fn variant(error: &Error) -> String {
    let text = format!("{error:#?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
