use std::sync::Arc;

use serde::Serialize;

use super::decode::{self, Context, Lenient, wire_object};
use super::shared_str::SharedStr;

/// Who did something: a user, a team, a service account, an agent, …
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let group = client.secret_groups().get("sg-abc").await?;
/// if let Some(creator) = group.created_by() {
///     println!("created by {:?} {:?}", creator.kind(), creator.slug());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    #[serde(rename = "subjectId", skip_serializing_if = "Option::is_none")]
    id: Option<SharedStr>,
    #[serde(rename = "subjectType", skip_serializing_if = "Option::is_none")]
    kind: Option<SharedStr>,
    #[serde(rename = "subjectSlug", skip_serializing_if = "Option::is_none")]
    slug: Option<SharedStr>,
    #[serde(rename = "subjectDisplayName", skip_serializing_if = "Option::is_none")]
    display_name: Option<SharedStr>,
}

wire_object!(Subject {
    required {  }
    optional {  }
    informational {
        id: "subjectId",
        kind: "subjectType",
        slug: "subjectSlug",
        display_name: "subjectDisplayName",
    }
});

/// Consecutive entries are nearly always by the same subject, and then share it.
impl Lenient for Arc<Subject> {
    fn read<'de>(context: &Context<'de>, raw: &'de str) -> Result<Option<Self>, serde_json::Error> {
        let mut last = context.last_subject.borrow_mut();
        if let Some((_, known)) = last.as_ref().filter(|(text, _)| *text == raw) {
            // The text is not decoded again, so its unknown fields are wiped along with all of it.
            context.overwrite(raw);
            return Ok(Some(Self::clone(known)));
        }
        let subject = decode::object(context, raw)?.map(Self::new);
        *last = subject.clone().map(|subject| (raw, subject));
        Ok(subject)
    }
}

impl Subject {
    /// The subject's identifier, if the response has it.
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(SharedStr::as_str)
    }

    /// The type as the API writes it: `user`, `team`, `serviceaccount`, `virtualaccount`, … The list grows.
    /// `None` if the response does not have it.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_ref().map(SharedStr::as_str)
    }

    /// The name that identifies a collaborator, such as a user's e-mail address.
    pub fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(SharedStr::as_str)
    }

    /// The display name.
    pub fn display_name(&self) -> Option<&str> {
        self.display_name.as_ref().map(SharedStr::as_str)
    }
}
