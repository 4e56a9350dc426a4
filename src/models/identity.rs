use serde::de::{Deserializer, Error as _};

use super::decode::{Context, FromWire, wire_object};
use super::shared_str::SharedStr;
use super::subject::Subject;

/// The owner of a client's key, from [`Client::whoami`](crate::Client::whoami).
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let me = client.whoami().await?;
/// println!("{:?} ({:?}) of {:?}", me.user(), me.kind(), me.tenant());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Identity(Session);

/// An object with neither user nor tenant is not the response of a control plane.
impl FromWire for Identity {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let session = Session::decode(context, deserializer)?;
        if session.user.is_none() && session.tenant.is_none() {
            return Err(D::Error::missing_field("user"));
        }
        Ok(Self(session))
    }
}

#[derive(Clone, Debug)]
struct Session {
    user: Option<User>,
    tenant: Option<Tenant>,
}

wire_object!(Session {
    required {  }
    optional {  }
    informational {
        user: "user",
        tenant: "tenantInfo",
    }
});

#[derive(Clone, Debug)]
struct User {
    tenant: Option<SharedStr>,
    email: Option<SharedStr>,
    slug: Option<SharedStr>,
    subject: Option<Subject>,
}

wire_object!(User {
    required {  }
    optional {  }
    informational {
        tenant: "tenantName",
        email: "email",
        slug: "subjectSlug",
        subject: "subject",
    }
});

/// An object that names a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    name: Option<SharedStr>,
}

wire_object!(Tenant {
    required {  }
    optional {  }
    informational {
        name: "tenantName",
    }
});

impl Identity {
    /// A user's e-mail address, or the name of another subject, such as a service account; `None` if the control
    /// plane does not say.
    pub fn user(&self) -> Option<&str> {
        let user = self.0.user.as_ref()?;
        let email = user.email.as_ref().map(SharedStr::as_str);
        let subject = user.subject.as_ref().and_then(Subject::slug);
        let slug = user.slug.as_ref().map(SharedStr::as_str);
        [email, subject, slug].into_iter().flatten().find(|text| !text.is_empty())
    }

    /// The type of the subject as the API writes it: `user`, `serviceaccount`, `virtualaccount`, … The list grows.
    /// `None` if the control plane does not say.
    pub fn kind(&self) -> Option<&str> {
        self.0.user.as_ref()?.subject.as_ref()?.kind()
    }

    /// The tenant's name; `None` if the control plane does not say.
    pub fn tenant(&self) -> Option<&str> {
        self.tenants().next()
    }

    /// All tenant names that it states.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &str> {
        let user = self.0.user.as_ref().and_then(|user| user.tenant.as_ref());
        user.map(SharedStr::as_str).into_iter().chain(self.0.tenant.as_ref().and_then(Tenant::name))
    }
}

impl Tenant {
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_ref().map(SharedStr::as_str)
    }
}
