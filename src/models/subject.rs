use std::sync::Arc;

use serde::Serialize;

use super::decode::{Context, FromWire, wire_object};
use super::shared_str::SharedStr;

/// Who did something: a user, a team, a service account, an agent, …
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    #[serde(rename = "subjectId")]
    id: SharedStr,
    #[serde(rename = "subjectType")]
    kind: SharedStr,
    #[serde(rename = "subjectSlug", skip_serializing_if = "Option::is_none")]
    slug: Option<SharedStr>,
    #[serde(rename = "subjectDisplayName", skip_serializing_if = "Option::is_none")]
    display_name: Option<SharedStr>,
}

wire_object!(Subject {
    required { id: "subjectId", kind: "subjectType" }
    optional {
        slug: "subjectSlug",
        display_name: "subjectDisplayName",
    }
});

/// Consecutive entries are nearly always by the same subject, and then share it.
impl FromWire for Arc<Subject> {
    fn decode<'de, D: serde::Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let subject = Subject::decode(context, deserializer)?;
        let mut last = context.last_subject.borrow_mut();
        match last.as_ref() {
            Some(known) if known.is_same_in(&subject, context) => Ok(Self::clone(known)),
            _ => {
                let subject = Self::new(subject);
                *last = Some(Self::clone(&subject));
                Ok(subject)
            }
        }
    }
}

impl Subject {
    fn is_same_in(&self, other: &Self, context: &Context<'_>) -> bool {
        let same = |one: &Option<SharedStr>, other: &Option<SharedStr>| match (one, other) {
            (Some(one), Some(other)) => context.same(one, other),
            (one, other) => one.is_none() == other.is_none(),
        };
        context.same(&self.id, &other.id)
            && context.same(&self.kind, &other.kind)
            && same(&self.slug, &other.slug)
            && same(&self.display_name, &other.display_name)
    }

    /// The subject's identifier.
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// The type as the API writes it: `user`, `team`, `serviceaccount`, `virtualaccount`, … The list grows.
    pub fn kind(&self) -> &str {
        self.kind.as_str()
    }

    /// The name that collaborators are given by, such as a user's e-mail address.
    pub fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(SharedStr::as_str)
    }

    /// The name for people.
    pub fn display_name(&self) -> Option<&str> {
        self.display_name.as_ref().map(SharedStr::as_str)
    }
}
