//! Launch templates and machine images: what new instances are made from.

use super::ids::{AccountId, ImageId, InstanceType, TemplateId};
use super::tags::Tags;
use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A launch template and those of its versions that something uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// `lt-…`
    pub id: TemplateId,
    /// Its name.
    pub name: Text,
    /// The version that `$Default` means now.
    pub default_version: u64,
    /// The version that `$Latest` means now.
    pub latest_version: u64,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<Text>,
    /// Its tags.
    pub tags: Tags,
    /// The versions that were read: default, latest, and every one in use.
    pub versions: Vec<TemplateVersion>,
}

/// One immutable version of a launch template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateVersion {
    /// Its number.
    pub number: u64,
    /// What its maker wrote.
    pub description: Option<Text>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// An AMI id, or `resolve:ssm:…` when it is looked up at launch.
    pub image: Option<Text>,
    /// The instance type, where the version names one.
    pub instance_type: Option<InstanceType>,
    /// Spot by template (rare beside a mixed instances policy).
    pub is_spot: bool,
    /// Its SSH key.
    pub key_name: Option<Text>,
    /// It names attributes that types must have, and no type.
    #[serde(default)]
    pub by_attributes: bool,
}

/// A machine image that something uses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// `ami-…`
    pub id: ImageId,
    /// Its name; `None` when the image is gone.
    pub name: Option<Text>,
    /// The account it belongs to.
    pub owner_id: Option<AccountId>,
    /// `x86_64`, `arm64`
    pub architecture: Option<Text>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When its owner deprecates it.
    pub deprecated_at: Option<Timestamp>,
    /// `available`, `pending`, `deregistered`, …; `None` when AWS no longer lists it.
    pub state: Option<Text>,
    /// Its platform, `Linux/UNIX`.
    pub platform: Option<Text>,
    /// `ebs` or `instance-store`
    pub root_device_type: Option<Text>,
    /// Who it belongs to, where AWS has a word for them: `amazon`, `aws-marketplace`.
    #[serde(default)]
    pub owner_alias: Option<Text>,
    /// How it starts: `uefi`, `uefi-preferred`, `legacy-bios`; none where its maker did not say.
    #[serde(default)]
    pub boot_mode: Option<Text>,
    /// Whether it drives the network cards of newer types.
    #[serde(default)]
    pub has_ena: Option<bool>,
}

impl Image {
    /// Tells whether something still uses an image that AWS no longer lists.
    pub fn is_gone(&self) -> bool {
        self.state.is_none()
    }
}
