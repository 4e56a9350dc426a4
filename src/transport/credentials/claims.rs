//! What a token says about itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::models::SharedStr;
use crate::models::decode::{self, wire_object};

/// The claims of a token that is a JWT. They are read but not verified, so they may save a request
/// or improve a text, but the server decides.
pub(crate) struct Claims {
    tenant: Option<SharedStr>,
    expires_at: Option<u64>,
    user: Option<SharedStr>,
    email: Option<SharedStr>,
    subject_type: Option<SharedStr>,
}

wire_object!(Claims {
    required {  }
    optional {  }
    informational {
        tenant: "tenantName",
        expires_at: "exp",
        user: "username",
        email: "email",
        subject_type: "subjectType",
    }
});

impl Claims {
    /// `None` if the token is not a JWT.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (Some(_), Some(claims), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        decode::borrowed(String::from_utf8(claims).ok()?).ok()
    }

    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_ref().map(SharedStr::as_str)
    }

    /// The user's name, otherwise the email address.
    pub(crate) fn user(&self) -> Option<&str> {
        let texts = [&self.user, &self.email].into_iter().flatten().map(SharedStr::as_str);
        texts.into_iter().find(|text| !text.is_empty())
    }

    pub(crate) fn is_service_account(&self) -> bool {
        self.subject_type.as_ref().is_some_and(|kind| kind.as_str() == "serviceaccount")
    }

    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        Timestamp::from_second(i64::try_from(self.expires_at?).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn tenant_and_expiry_are_read_and_oddities_are_none() {
        for (claims, tenant, second) in [
            (
                r#"{"tenantName":"acme","exp":1795435260,"email":"a@b"}"#,
                Some("acme"),
                Some(1_795_435_260),
            ),
            (r#"{"exp":1795435260.0}"#, None, Some(1_795_435_260)),
            (r#"{"tenantName":7,"exp":"soon"}"#, None, None),
            (r#"{"tenantName":null,"exp":18446744073709551615}"#, None, None),
            (r#"{"tenantName":"é\u0041","exp":-1}"#, Some("éA"), None),
        ] {
            let claims = Claims::of(&jwt(claims)).unwrap();
            assert_eq!(claims.tenant(), tenant);
            assert_eq!(claims.expires_at().map(Timestamp::as_second), second);
        }
    }

    #[test]
    fn padding_is_accepted() {
        let padded = format!("e30.{}==.c2ln", URL_SAFE_NO_PAD.encode(r#"{"exp":10}"#));
        assert_eq!(Claims::of(&padded).unwrap().expires_at().unwrap().as_second(), 10);
    }

    #[test]
    fn other_tokens_have_no_claims() {
        for token in ["", "tfy_abc", "a.b", "..", "e30.!!.x", "e30.W10.x", "e30.e30.x.y", "é.é.é"]
        {
            assert!(Claims::of(token).is_none(), "{token}");
        }
    }

    proptest! {
        #[test]
        fn no_token_is_too_odd(token in ".{0,60}", claims in ".{0,60}") {
            let _ = Claims::of(&token);
            let _ = Claims::of(&jwt(&claims));
        }
    }
}
