//! What a reading says of itself: sentences, and which of its sources come.

/// Whether the lines of a source come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They do, as far as is known.
    #[default]
    Comes,
    /// Not now; it is tried again.
    Waits,
    /// Nothing more of it is read.
    Ended,
}

/// Something to know about what is shown, or is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// A sentence; empty where a source only comes again.
    pub text: String,
    /// Which sources it is about.
    pub of: Vec<u16>,
    /// How these stand from now on; none where that did not change.
    pub flow: Option<Flow>,
}

impl Said {
    /// A sentence that changes nothing.
    pub fn note(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// These sources stand so from now on, and why.
    pub fn turn(of: Vec<u16>, flow: Flow, text: impl Into<String>) -> Self {
        Self { text: text.into(), of, flow: Some(flow) }
    }
}
