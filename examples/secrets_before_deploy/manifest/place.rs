//! Where a value is, and how that is written.

use super::{Manifest, events};
use crate::judge;

/// One value of a manifest.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its index among the events, also of an alias.
    pub(super) at: usize,
    /// Where its text is. An alias has that of its anchor, unless that is not text.
    pub(super) text_at: Option<usize>,
    /// How much of the text comes before the value: `NAME=` in a list of variables.
    pub(super) prefix: usize,
    /// The name under which it stands.
    pub(super) name_at: Option<usize>,
    /// The name of the map that it is in.
    pub(super) map_at: Option<usize>,
    pub(super) step: usize,
    pub(super) kind: Kind,
    pub(super) within: Within,
    /// Why it cannot be replaced.
    pub(crate) fixed: Option<&'static str>,
}

/// What a value is to the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of an environment: `env` as a map, as a list of `name` and `value`, or as a list of `NAME=value`.
    Variable,
    Field,
    /// A name, or a part of one.
    Key,
}

/// What the place is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    Other,
    /// Fields that say where a secret is: `valueFrom`.
    Pointer,
    /// `stringData` of a Kubernetes Secret.
    SecretText,
    /// `data` of a Kubernetes Secret.
    SecretBase64,
}

/// The last step to a place; the steps before it are found by the index of the parent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) parent: usize,
    pub(super) label: Label,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Label {
    Top,
    Key(usize),
    /// A name that is not text.
    Complex,
    Index(usize),
    /// The value of a `name` and `value`, with the event of the name.
    Named(usize),
}

/// A longer name is cut when it is shown.
const MAX_LABEL: usize = 60;

impl Place {
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn within(&self) -> Within {
        self.within
    }

    /// Whether it is an alias of a map or a list.
    pub(crate) fn is_collection(&self) -> bool {
        self.text_at.is_none()
    }
}

impl Manifest<'_> {
    /// The value, without what comes before it.
    pub(crate) fn value(&self, place: &Place) -> &str {
        let text = place.text_at.map_or("", |at| events::text(&self.events, at));
        text.get(place.prefix..).unwrap_or_default()
    }

    /// The name under which it stands.
    pub(crate) fn name_at(&self, place: &Place) -> &str {
        if place.prefix > 0 {
            let text = place.text_at.map_or("", |at| events::text(&self.events, at));
            return text.get(..place.prefix - 1).unwrap_or_default();
        }
        place.name_at.map_or("", |at| events::text(&self.events, at))
    }

    /// The name of the map that it is in.
    pub(crate) fn map_of(&self, place: &Place) -> &str {
        place.map_at.map_or("", |at| events::text(&self.events, at))
    }

    pub(crate) fn line(&self, place: &Place) -> usize {
        self.line_of(place.at)
    }

    /// Such as `spec.containers[0].env[1].value`.
    pub(crate) fn path(&self, place: &Place) -> String {
        let mut path = String::new();
        for label in self.labels(place) {
            match label {
                Label::Top => {}
                Label::Index(index) => path.extend(["[", &index.to_string(), "]"]),
                Label::Key(_) | Label::Complex | Label::Named(_) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&self.label(label));
                }
            }
        }
        if path.is_empty() { "(top)".to_owned() } else { path }
    }

    /// The environment variable that holds the value, and the secret's key: the name if the place
    /// is a variable, else the path in capitals.
    pub(crate) fn variable(&self, place: &Place) -> String {
        let name = self.name_at(place);
        let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let is_constant = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name.chars().all(is_capital);
        if !name.is_empty() && (place.kind == Kind::Variable || is_constant) {
            return name.to_owned();
        }
        let mut labels = self.labels(place);
        if let [.., Label::Index(_), Label::Named(_)] = labels.as_slice() {
            // The index says less than the name.
            labels.remove(labels.len() - 2);
        }
        let words: Vec<_> = labels
            .into_iter()
            .flat_map(|label| match label {
                Label::Top => Vec::new(),
                Label::Index(index) => vec![index.to_string()],
                Label::Named(at) => judge::words(&self.label(Label::Key(at))),
                Label::Key(_) | Label::Complex => judge::words(&self.label(label)),
            })
            .collect();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name: String = words.join("_").chars().filter(|c| is_plain(*c)).collect();
        let name = name.trim_matches('_').to_ascii_uppercase();
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name
        } else {
            format!("SECRET_{name}")
        }
    }

    fn labels(&self, place: &Place) -> Vec<Label> {
        let mut labels = Vec::new();
        let mut at = place.step;
        while let Some(step) = self.steps.get(at) {
            labels.push(step.label);
            if step.parent == at {
                break;
            }
            at = step.parent;
        }
        labels.reverse();
        labels
    }

    /// A name as it may be shown: it can be a secret itself, and it can be long.
    fn label(&self, label: Label) -> String {
        let text = match label {
            Label::Key(at) => events::text(&self.events, at),
            Label::Named(_) => return "value".to_owned(),
            _ => "(name)",
        };
        if judge::is_leak(text).is_some() {
            return "(name)".to_owned();
        }
        let short: String = text.chars().take(MAX_LABEL).collect();
        let cut = if short.len() < text.len() { "..." } else { "" };
        let is_simple = |c: char| c.is_alphanumeric() || "_-/$".contains(c);
        if !short.is_empty() && short.chars().all(is_simple) || text == "(name)" {
            format!("{short}{cut}")
        } else {
            format!("\"{short}{cut}\"")
        }
    }
}
