//! Where readings hand their lines and sentences to.

use super::BATCH;
use crate::logs::line::Line;
use crate::logs::said::Said;
use tokio::sync::mpsc;

/// Where what is read goes.
#[derive(Clone)]
pub(super) struct Tell {
    /// What is new.
    pub(super) lines: mpsc::Sender<Vec<Line>>,
    /// What is old, and came when nobody waited for it any more.
    pub(super) late: mpsc::Sender<Vec<Line>>,
    pub(super) say: mpsc::Sender<Said>,
}

impl Tell {
    pub(super) async fn say(&self, said: Said) {
        // Nobody is left to tell when the reader has gone.
        let _ = self.say.send(said).await;
    }
}

/// Hands lines on in batches. Whether there is still somebody who takes them.
pub(super) async fn hand_on(send: &mpsc::Sender<Vec<Line>>, lines: Vec<Line>) -> bool {
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        if send.send(lines.by_ref().take(BATCH).collect()).await.is_err() {
            return false;
        }
    }
    true
}
