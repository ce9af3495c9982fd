//! The fields of what is done to cores.

use super::{Field, Name};
use crate::ops::intent::{CoreWish, Traffic};

/// What fields say of cores.
pub(super) fn wish(fields: &[Field]) -> CoreWish {
    let mut wish = CoreWish::default();
    for field in fields {
        let text = field.text().trim();
        let given = || (!text.is_empty()).then(|| text.to_owned());
        match field.name {
            Name::To => wish.image = given(),
            Name::Host => wish.host = given(),
            Name::Database => wish.database = given(),
            Name::Traffic => {
                wish.traffic = match text {
                    "drain" => Traffic::Drain,
                    "keep" => Traffic::Keep,
                    _ => Traffic::WhereServed,
                }
            }
            _ => {}
        }
    }
    wish
}
