//! The objects that responses come wrapped in.

use super::Page;
use super::decode::{Context, FromWire, wire_object};

/// `{"data": …}`
pub(crate) struct Data<T>(pub(crate) T);

/// `{"data": […], "pagination": {…}}`
pub(crate) struct Listed<T>(pub(crate) Page<T>);

struct Pagination {
    total: Option<u64>,
    offset: Option<u64>,
    limit: Option<u64>,
}

wire_object!(Pagination {
    required {  }
    optional {  }
    informational {
        total: "total",
        offset: "offset",
        limit: "limit",
    }
});

struct Envelope<T> {
    data: Option<T>,
    pagination: Option<Pagination>,
}

impl<T: FromWire> FromWire for Envelope<T> {
    fn decode<'de, D: serde::Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        struct EnvelopeVisitor<'a, 'de, T>(&'a Context<'de>, std::marker::PhantomData<T>);

        enum Field {
            Data,
            Pagination,
            Unknown,
        }

        impl<'de, T: FromWire> serde::de::Visitor<'de> for EnvelopeVisitor<'_, 'de, T> {
            type Value = Envelope<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with `data`")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut envelope = Envelope { data: None, pagination: None };
                while let Some(key) =
                    map.next_key_seed(super::decode::Key(|key: &str| match key {
                        "data" => Field::Data,
                        "pagination" => Field::Pagination,
                        _ => Field::Unknown,
                    }))?
                {
                    match key {
                        Field::Data => {
                            envelope.data = super::decode::value(self.0, &mut map)?;
                        }
                        Field::Pagination => {
                            envelope.pagination = super::decode::informational(self.0, &mut map)?;
                        }
                        Field::Unknown => super::decode::skip(self.0, &mut map)?,
                    }
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(EnvelopeVisitor(context, std::marker::PhantomData))
    }
}

impl<T: FromWire> FromWire for Data<T> {
    fn decode<'de, D: serde::Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let envelope = Envelope::decode(context, deserializer)?;
        envelope.data.map(Self).ok_or_else(|| serde::de::Error::missing_field("data"))
    }
}

impl<T: FromWire> FromWire for Listed<T> {
    fn decode<'de, D: serde::Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let envelope = Envelope::<Vec<T>>::decode(context, deserializer)?;
        // An absent list is not an empty list: an edit would delete the keys that it left out.
        let items = envelope.data.ok_or_else(|| serde::de::Error::missing_field("data"))?;
        let Pagination { total, offset, limit } =
            envelope.pagination.unwrap_or(Pagination { total: None, offset: None, limit: None });
        Ok(Self(Page::new(items, total, offset, limit)))
    }
}
