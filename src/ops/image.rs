//! Which image is meant, and whether a group can launch it: decisions over what was looked at, and nothing else.

mod fits;
mod types;

pub use fits::{Allowed, Wrong, fits, support};

use super::desk::Desk;
use crate::error::{Error, Result};
use crate::gateway::{Look, Seen};
use crate::model::{Image, ImageId, Published, Scope, Text, Told};
use serde::{Deserialize, Serialize};

/// Which image somebody means.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meant {
    /// What the public parameter of the family that a group launches now names.
    #[default]
    Newest,
    /// This one.
    Id(ImageId),
    /// What this parameter names.
    Parameter(Text),
    /// The youngest of an owner's that are called so, for the architecture that a group launches now.
    Named {
        /// An account number, `self`, `amazon`.
        owner: Text,
        /// What it is called, with `*` and `?`.
        name: Text,
    },
    /// The first of these that is for the processors that a group, or one of its types, launches now.
    Each(Vec<Meant>),
}

/// Short words for parameters that people mean most.
const WORDS: [(&str, &str); 6] = [
    ("al2023", "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"),
    ("al2023-arm64", "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended"),
    ("al2", "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended"),
    ("al2-arm64", "/aws/service/ecs/optimized-ami/amazon-linux-2/arm64/recommended"),
    ("bottlerocket", "/aws/service/bottlerocket/aws-ecs-2/x86_64/latest/image_id"),
    ("bottlerocket-arm64", "/aws/service/bottlerocket/aws-ecs-2/arm64/latest/image_id"),
];

impl Meant {
    /// Understands what was typed: `newest`, an `ami-…`, a parameter's name, a short word, or `OWNER:NAME*`.
    ///
    /// # Errors
    ///
    /// It is none of these.
    pub fn parse(typed: &str) -> Result<Self> {
        let typed = typed.trim();
        if typed.contains(',') {
            let each = typed.split(',').map(Self::parse).collect::<Result<Vec<Self>>>()?;
            return Ok(Self::Each(each));
        }
        if typed.eq_ignore_ascii_case("newest") {
            return Ok(Self::Newest);
        }
        if typed.starts_with("ami-") {
            return Ok(Self::Id(ImageId::new(typed)));
        }
        let parameter =
            typed.strip_prefix("resolve:ssm:").or_else(|| typed.strip_prefix("ssm:")).unwrap_or(typed);
        if parameter.starts_with('/') {
            return Ok(Self::Parameter(parameter.into()));
        }
        if let Some((_, parameter)) = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(typed)) {
            return Ok(Self::Parameter((*parameter).into()));
        }
        match typed.split_once(':') {
            Some((owner, name)) if !owner.is_empty() && !name.is_empty() => {
                Ok(Self::Named { owner: owner.into(), name: name.into() })
            }
            _ => Err(Error::usage(format!("`{}` names no image", crate::model::text::harmless(typed)))
                .hint("an ami-… id; a parameter as in /aws/service/…; OWNER:NAME* for the youngest, as in self:core-*")
                .hint(format!("or one of newest, {}", WORDS.map(|(word, _)| word).join(", ")))),
        }
    }
}

/// An image that was found, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The image.
    pub image: Image,
    /// By which parameter, and which version of it.
    pub by: Option<(Text, u64)>,
    /// What the parameter told of it besides.
    pub told: Option<Told>,
}

impl Found {
    /// The image in words: its id, its name, and where it was found.
    pub fn words(&self) -> String {
        let name = self.image.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let by = self.by.as_ref().map(|(name, version)| format!(", version {version} of {name}"));
        format!("{}{name}{}", self.image.id, by.unwrap_or_default())
    }
}

/// Why no image was found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Why.
    pub why: String,
    /// What to do.
    pub mend: String,
}

fn lost<T>(why: impl Into<String>, mend: impl Into<String>) -> std::result::Result<T, Lost> {
    Err(Lost { why: why.into(), mend: mend.into() })
}

/// Looks up which image is meant for a group that launches `now`. The id is settled here for good: what a parameter
/// names later is no matter of the plan.
///
/// # Errors
///
/// AWS could not be asked. That there is no such image is no error of this kind.
pub async fn find(
    desk: &Desk<'_>,
    scope: &Scope,
    meant: &Meant,
    now: Option<&Image>,
) -> Result<std::result::Result<Found, Lost>> {
    let Meant::Each(all) = meant else { return find_one(desk, scope, meant, now).await };
    let architecture = now.and_then(|now| now.architecture.as_ref());
    let mut last = None;
    for one in all {
        match find_one(desk, scope, one, now).await? {
            Ok(found) if architecture.is_none() || found.image.architecture.as_ref() == architecture => {
                return Ok(Ok(found));
            }
            Ok(_) => {}
            Err(lost) => last = Some(lost),
        }
    }
    let none = || Lost {
        why: format!("none of the images is for {}", architecture.map_or("the group", |text| text.as_str())),
        mend: "name one for each architecture: --image al2023,al2023-arm64".to_owned(),
    };
    Ok(Err(last.unwrap_or_else(none)))
}

async fn find_one(
    desk: &Desk<'_>,
    scope: &Scope,
    meant: &Meant,
    now: Option<&Image>,
) -> Result<std::result::Result<Found, Lost>> {
    let parameter = match meant {
        Meant::Newest => match now.and_then(Image::published_by) {
            Some(parameter) => parameter,
            None => {
                let name = now.and_then(|now| now.name.as_deref()).unwrap_or("its image");
                let why = format!("nobody publishes newer images of {name} by a parameter");
                return Ok(lost(
                    why,
                    "say which: --image ami-…, or --image self:NAME* for the youngest of your own",
                ));
            }
        },
        Meant::Parameter(parameter) => parameter.clone(),
        Meant::Id(id) => return by_id(desk, scope, id, None).await,
        // Nobody types a list in a list: commas part what is meant.
        Meant::Each(_) => return Ok(nothing()),
        Meant::Named { owner, name } => {
            let look = Look::ImagesNamed { owner: owner.clone(), name: name.clone() };
            let Seen::Images(all) = desk.look(scope, look).await? else { return Ok(nothing()) };
            return Ok(youngest(all, owner, name, now));
        }
    };
    let look = Look::Published { of: vec![parameter.clone()] };
    let Seen::Published(all) = desk.look(scope, look).await? else { return Ok(nothing()) };
    match all.into_iter().next() {
        Some(published) => by_id(desk, scope, &published.now.image.clone(), Some(published)).await,
        None => Ok(lost(
            format!("there is no parameter {parameter} in {scope}"),
            "`aws ssm get-parameters-by-path --recursive --path /aws/service/ecs` lists what AWS publishes",
        )),
    }
}

fn nothing<T>() -> std::result::Result<T, Lost> {
    lost("AWS answered something else than was asked", "ask again")
}

async fn by_id(
    desk: &Desk<'_>,
    scope: &Scope,
    id: &ImageId,
    by: Option<Published>,
) -> Result<std::result::Result<Found, Lost>> {
    let Seen::Images(all) = desk.look(scope, Look::Images { of: vec![id.clone()] }).await? else {
        return Ok(nothing());
    };
    Ok(match all.into_iter().find(|image| image.id == *id && !image.is_gone()) {
        Some(image) => Ok(Found {
            image,
            told: by.as_ref().map(|by| by.now.clone()),
            by: by.map(|by| (by.parameter, by.version)),
        }),
        None => lost(
            format!("there is no image {id} in {scope}, or it is not shared with this account"),
            "images belong to one region: look for the one that belongs to this one",
        ),
    })
}

/// The youngest of some images that a group which launches `now` may mean.
fn youngest(
    all: Vec<Image>,
    owner: &Text,
    name: &Text,
    now: Option<&Image>,
) -> std::result::Result<Found, Lost> {
    let architecture = now.and_then(|now| now.architecture.as_ref());
    let count = all.len();
    let of_mine = |image: &Image| architecture.is_none() || image.architecture.as_ref() == architecture;
    // moto says the same moment of all of them, and makers write the day into the name.
    let youngest =
        all.into_iter().filter(of_mine).max_by(|a, b| (a.created_at, &a.name).cmp(&(b.created_at, &b.name)));
    match (youngest, count) {
        (Some(image), _) => Ok(Found { image, by: None, told: None }),
        (None, 0) => lost(
            format!("{owner} has no image that is called {name} and can be launched"),
            format!("`aws ec2 describe-images --owners {owner}` lists them"),
        ),
        (None, _) => lost(
            format!(
                "of {count} images of {owner} called {name} none is for {}",
                architecture.map_or("the group", |text| text.as_str())
            ),
            "name the pattern of those that are",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_names_an_image_in_five_ways() {
        let of = |typed: &str| Meant::parse(typed).unwrap();
        assert_eq!(of("newest"), Meant::Newest);
        assert_eq!(of("ami-1"), Meant::Id("ami-1".into()));
        assert_eq!(of("ssm:/a/b"), Meant::Parameter("/a/b".into()));
        assert!(matches!(of("AL2023-arm64"), Meant::Parameter(name) if name.contains("/arm64/")));
        assert!(matches!(of("bottlerocket"), Meant::Parameter(name) if name.ends_with("/image_id")));
        assert_eq!(of("self:core-*"), Meant::Named { owner: "self".into(), name: "core-*".into() });
        assert_eq!(of("ami-1, ami-2"), Meant::Each(vec![of("ami-1"), of("ami-2")]));
        assert!(Meant::parse("core").unwrap_err().hints[1].contains("al2023"));
    }

    #[test]
    fn the_youngest_is_of_the_groups_architecture() {
        let image = |id: &str, architecture: &str, day: &str| Image {
            id: id.into(),
            architecture: Some(architecture.into()),
            created_at: format!("{day}T00:00:00Z").parse().ok(),
            ..Image::default()
        };
        let all = || {
            vec![
                image("ami-1", "arm64", "2026-01-01"),
                image("ami-2", "x86_64", "2026-01-02"),
                image("ami-3", "arm64", "2025-01-01"),
            ]
        };
        let now = image("ami-0", "arm64", "2024-01-01");
        let found = youngest(all(), &"self".into(), &"*".into(), Some(&now)).unwrap();
        assert_eq!(found.image.id.as_str(), "ami-1");
        assert_eq!(youngest(all(), &"self".into(), &"*".into(), None).unwrap().image.id.as_str(), "ami-2");
        let other = image("ami-0", "i386", "2024-01-01");
        assert!(
            youngest(all(), &"self".into(), &"*".into(), Some(&other))
                .unwrap_err()
                .why
                .contains("none is for i386")
        );
        assert!(
            youngest(vec![], &"self".into(), &"x".into(), None).unwrap_err().why.contains("has no image")
        );
    }
}
