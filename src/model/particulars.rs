//! What hardly anybody asks of an instance.

use super::packed::{Packing, texts};
use super::text::Text;

/// Texts of an instance that are seldom wanted and mostly not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Particulars {
    /// The reservation it was launched in; one reservation may hold hundreds.
    pub reservation_id: Text,
    /// Why it last changed state, `Client.UserInitiatedShutdown`.
    pub state_reason: Option<Text>,
    /// The spot request behind it.
    pub spot_request_id: Option<Text>,
    /// Its public address.
    pub public_ip: Option<Text>,
    /// Its DNS name inside the network.
    pub private_dns: Option<Text>,
    /// Its public DNS name.
    pub public_dns: Option<Text>,
}

/// Particulars as an instance keeps them. On their own they would take 144 bytes of each, most of them of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept(Box<str>);

/// Which of them.
#[derive(Clone, Copy)]
pub(super) enum Which {
    ReservationId,
    StateReason,
    SpotRequestId,
    PublicIp,
    PrivateDns,
    PublicDns,
}

impl Kept {
    /// None where AWS says nothing: an empty text is none.
    pub(super) fn get(&self, which: Which) -> Option<&str> {
        texts(&self.0).nth(which as usize).filter(|text| !text.is_empty())
    }
}

impl From<Particulars> for Kept {
    /// A text of more than a million bytes is left out.
    fn from(all: Particulars) -> Self {
        let Particulars { reservation_id, state_reason, spot_request_id, public_ip, private_dns, public_dns } =
            &all;
        // In the order of `Which`.
        let texts = [
            reservation_id.as_str(),
            maybe(state_reason.as_ref()),
            maybe(spot_request_id.as_ref()),
            maybe(public_ip.as_ref()),
            maybe(private_dns.as_ref()),
            maybe(public_dns.as_ref()),
        ];
        let said = texts.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
        let texts = texts.get(..said).unwrap_or_default();
        let mut packing = Packing::with_room(texts.iter().map(|text| text.len() + 1).sum());
        for text in texts {
            if packing.add(text).is_none() {
                // In its place, so that the others keep theirs.
                let _ = packing.add("");
            }
        }
        Self(packing.done().into_boxed_str())
    }
}

fn maybe(text: Option<&Text>) -> &str {
    text.map_or("", Text::as_str)
}

impl From<&Kept> for Particulars {
    fn from(kept: &Kept) -> Self {
        let text = |which| kept.get(which).map(Text::new);
        Self {
            reservation_id: text(Which::ReservationId).unwrap_or_default(),
            state_reason: text(Which::StateReason),
            spot_request_id: text(Which::SpotRequestId),
            public_ip: text(Which::PublicIp),
            private_dns: text(Which::PrivateDns),
            public_dns: text(Which::PublicDns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, Particulars};

    #[test]
    fn what_is_kept_comes_back_whichever_of_them_are_there() {
        for there in 0..64 {
            let maybe = |bit: u32, text: &str| (there & (1 << bit) != 0).then(|| text.into());
            let all = Particulars {
                reservation_id: maybe(0, "r-0123456789abcdef0").unwrap_or_default(),
                state_reason: maybe(1, "Server.SpotInstanceTermination"),
                spot_request_id: maybe(2, "sir-1"),
                public_ip: maybe(3, "52.1.1.1"),
                private_dns: maybe(4, "ip-10-0-0-7.eu-west-1.compute.internal"),
                public_dns: maybe(5, &"long".repeat(500)),
            };
            assert_eq!(Particulars::from(&Kept::from(all.clone())), all);
        }
    }

    #[test]
    fn what_is_too_long_is_left_out_and_the_others_keep_their_places() {
        let all = Particulars {
            state_reason: Some("x".repeat(2_000_000).into()),
            public_dns: Some("y".into()),
            ..Particulars::default()
        };
        let expected = Particulars { state_reason: None, ..all.clone() };
        assert_eq!(Particulars::from(&Kept::from(all.clone())), expected);
        assert_eq!(size_of::<Kept>(), 16);
    }
}
