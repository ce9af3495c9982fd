//! The fields of what is done to cores.

use super::{Field, Name};
use crate::ops::intent::{CoreWish, Traffic};

/// The fields of new cores.
pub(super) fn fields() -> Vec<Field> {
    let names = [
        Name::Ids,
        Name::Tier,
        Name::Like,
        Name::Made,
        Name::Host,
        Name::Template,
        Name::Subnet,
        Name::ApiKey,
        Name::Database,
        Name::Doors,
    ];
    let empty = names.map(|name| Field::line(name, String::new()));
    empty.into_iter().chain([Field::choice(Name::Risk, super::RISK)]).collect()
}

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
            Name::Tier => wish.tier = given(),
            Name::Like => wish.like = given(),
            Name::Made => wish.image = given(),
            Name::Template => wish.template = given(),
            Name::Subnet => wish.subnet = given(),
            Name::ApiKey => wish.api_key = given(),
            Name::Doors => {
                let names = text.split([' ', ',']).filter(|name| !name.is_empty());
                wish.target_groups = names.map(str::to_owned).collect();
            }
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
