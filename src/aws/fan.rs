//! Many questions of one kind at once: a bounded number in flight, answers in order, and what failed
//! does not take the rest with it.

use super::api::Api;
use super::call::{Broken, Pages, Shown};
use crate::gateway::Reading;
use crate::model::{Trouble, TroubleKind};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many questions are in flight at once. The limiter sets the rate; this bounds sockets and memory.
const AT_ONCE: usize = 4;

/// How many answers may fail in a way that says something about the service and not about what was
/// asked, before no more is asked.
const PATIENCE: u32 = 3;

/// An answer, or what came before it broke off.
pub(super) type Piece<T> = Result<Vec<T>, Broken<T>>;

/// Asks once for each item and puts the answers together in the order of the items.
///
/// Items were named by an earlier list, so one that AWS does not find has ended since, and that is no
/// trouble. After any other failure the rest is still asked, unless it is clear that it would fail too.
/// `after` sees what has been read so far, each time it has grown by a quarter.
pub(super) async fn each<'a, I, T>(
    items: Vec<I>,
    ask: impl Fn(I) -> BoxFuture<'a, Piece<T>> + Send + Sync + 'a,
    mut after: impl FnMut(&[T]) -> Shown + Send,
) -> Piece<T>
where
    I: Send + 'a,
    T: Send + 'a,
{
    let futile = AtomicU32::new(0);
    let (ask, futile) = (&ask, &futile);
    let (mut left, mut shown, mut skipped) = (items.len(), 0, 0);
    let mut read = Vec::new();
    let mut troubles = Vec::new();
    let questions = futures::stream::iter(items).map(|item| {
        let answer: BoxFuture<'_, Option<Piece<T>>> = Box::pin(async move {
            if futile.load(Ordering::Relaxed) >= PATIENCE {
                return None;
            }
            let answer = ask(item).await;
            if let Err(broken) = &answer {
                futile.fetch_add(futility(&broken.trouble), Ordering::Relaxed);
            }
            Some(answer)
        });
        answer
    });
    let mut answers = questions.buffered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        left -= 1;
        match answer {
            None => skipped += 1,
            Some(Ok(rows)) => read.extend(rows),
            Some(Err(Broken { read: rows, trouble })) => {
                read.extend(rows);
                if trouble.kind != TroubleKind::NotFound {
                    troubles.push(trouble);
                }
            }
        }
        if left > 0 && read.len() > shown + shown / 4 && after(&read) == Shown::Taken {
            shown = read.len();
        }
    }
    settle(read, summary(troubles, skipped))
}

/// Returns what was read as whole, or as broken where there was trouble.
pub(super) fn settle<T>(read: Vec<T>, trouble: Option<Trouble>) -> Piece<T> {
    match trouble {
        None => Ok(read),
        Some(trouble) => Err(Broken { read, trouble }),
    }
}

/// Returns trouble before anything was read.
pub(super) fn nothing<T>(trouble: Trouble) -> Broken<T> {
    Broken { read: Vec::new(), trouble }
}

/// Takes a piece apart: what was read, and the trouble if there was any.
pub(super) fn apart<T>(piece: Piece<T>) -> (Vec<T>, Option<Trouble>) {
    match piece {
        Ok(read) => (read, None),
        Err(broken) => (broken.read, Some(broken.trouble)),
    }
}

/// Puts a second step's answer together with the trouble of the first.
pub(super) fn after<T>(first: Option<Trouble>, second: Piece<T>) -> Piece<T> {
    let (read, then) = apart(second);
    settle(read, first.or(then))
}

/// Returns what hands out a growing list as a reading.
pub(super) fn shown<T: Clone + 'static>(
    pages: &Pages,
    wrap: fn(Vec<T>) -> Reading,
) -> impl FnMut(&[T]) -> Shown + Send {
    move |so_far: &[T]| pages.show(|| wrap(so_far.to_vec()))
}

/// What is read for something else is shown to nobody.
pub(super) fn unshown<T>(_: &[T]) -> Shown {
    Shown::Taken
}

/// How much a failure says that the next question fails too.
fn futility(trouble: &Trouble) -> u32 {
    match trouble.kind {
        TroubleKind::NoCredentials | TroubleKind::Expired | TroubleKind::Unreachable => PATIENCE,
        TroubleKind::Throttled | TroubleKind::Timeout | TroubleKind::Garbled | TroubleKind::Server => 1,
        // One cluster may be denied and the next allowed; but what no policy can split is denied for all.
        TroubleKind::Denied => u32::from(Api::of_action(&trouble.call).is_some_and(Api::is_all_or_nothing)),
        TroubleKind::NotFound | TroubleKind::Refused | TroubleKind::Other => 0,
    }
}

/// Returns the first trouble, told to be one of several where it is.
fn summary(troubles: Vec<Trouble>, skipped: usize) -> Option<Trouble> {
    let failed = troubles.len();
    let mut first = troubles.into_iter().next()?;
    let mut more = Vec::new();
    if failed > 1 {
        more.push(format!("{failed} requests failed"));
    }
    if skipped > 0 {
        more.push(format!("{skipped} more were not sent"));
    }
    if !more.is_empty() {
        first.message = format!("{} ({})", first.message, more.join(", "));
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use jiff::Timestamp;
    use std::sync::Mutex;

    fn trouble(kind: TroubleKind) -> Trouble {
        Trouble {
            kind,
            call: "ecs:ListTasks".into(),
            code: None,
            message: "it broke".to_owned(),
            hint: None,
            request_id: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn broken(read: Vec<u32>, kind: TroubleKind) -> Piece<u32> {
        Err(Broken { read, trouble: trouble(kind) })
    }

    async fn run(items: Vec<u32>, answer: fn(u32) -> Piece<u32>) -> (Piece<u32>, Vec<u32>, Vec<usize>) {
        let asked = Mutex::new(Vec::new());
        let mut seen = Vec::new();
        let piece = each(
            items,
            |item| {
                asked.lock().unwrap().push(item);
                Box::pin(async move { answer(item) })
            },
            |so_far| {
                seen.push(so_far.len());
                Shown::Taken
            },
        )
        .await;
        (piece, asked.into_inner().unwrap(), seen)
    }

    #[tokio::test]
    async fn answers_stand_in_the_order_of_the_items_and_show_as_they_grow() {
        let (piece, asked, seen) = run((0..9).collect(), |n| Ok(vec![n * 10, n * 10 + 1])).await;
        assert_eq!(piece.unwrap(), (0..9).flat_map(|n| [n * 10, n * 10 + 1]).collect::<Vec<_>>());
        assert_eq!(asked.len(), 9);
        assert!(seen.is_sorted() && !seen.is_empty() && !seen.contains(&18), "{seen:?}");
    }

    #[tokio::test]
    async fn one_denied_item_does_not_take_the_rest_with_it() {
        let (piece, asked, _) = run(vec![1, 2, 3], |n| match n {
            1 => broken(vec![100], TroubleKind::Denied),
            n => Ok(vec![n]),
        })
        .await;
        let broken = piece.unwrap_err();
        assert_eq!(broken.read, [100, 2, 3]);
        assert_eq!((broken.trouble.kind, broken.trouble.message.as_str()), (TroubleKind::Denied, "it broke"));
        assert_eq!(asked.len(), 3);
    }

    #[tokio::test]
    async fn what_ended_since_it_was_listed_is_no_trouble() {
        let (piece, ..) =
            run(vec![1, 2], |n| if n == 1 { broken(vec![], TroubleKind::NotFound) } else { Ok(vec![n]) })
                .await;
        assert_eq!(piece.unwrap(), [2]);
    }

    #[tokio::test]
    async fn a_dead_service_is_not_asked_a_hundred_times() {
        let (piece, asked, _) = run((0..100).collect(), |_| broken(vec![], TroubleKind::Garbled)).await;
        assert!(asked.len() <= AT_ONCE + PATIENCE as usize, "{}", asked.len());
        let said = piece.unwrap_err().trouble.message;
        assert!(said.contains("requests failed") && said.contains("more were not sent"), "{said}");
        let (_, asked, _) = run((0..100).collect(), |_| broken(vec![], TroubleKind::Expired)).await;
        assert!(asked.len() <= AT_ONCE, "{}", asked.len());
    }

    #[tokio::test]
    async fn what_no_policy_can_split_is_denied_a_few_times_and_not_for_each_of_300_groups() {
        let denied = |call: &str| Trouble { call: call.into(), ..trouble(TroubleKind::Denied) };
        let asked = async |call: &str| {
            let asked = AtomicU32::new(0);
            let ask = |_| {
                asked.fetch_add(1, Ordering::Relaxed);
                futures::future::ready(Err::<Vec<u32>, _>(nothing(denied(call)))).boxed()
            };
            each((0..300).collect(), ask, unshown).await.unwrap_err();
            asked.load(Ordering::Relaxed)
        };
        for call in ["elasticloadbalancing:DescribeTargetHealth", "autoscaling:DescribeInstanceRefreshes"] {
            assert!(asked(call).await <= AT_ONCE as u32 + PATIENCE, "{call}");
        }
        assert_eq!(asked("ecs:ListTasks").await, 300, "a policy may allow some clusters and deny others");
    }

    #[tokio::test]
    async fn nothing_asked_is_nothing_read() {
        let (piece, asked, seen) = run(Vec::new(), |n| Ok(vec![n])).await;
        assert_eq!((piece.unwrap(), asked, seen), (vec![], vec![], vec![]));
    }

    #[test]
    fn the_first_step_s_trouble_is_the_one_to_tell() {
        let told =
            after(Some(trouble(TroubleKind::Denied)), broken(vec![1], TroubleKind::Timeout)).unwrap_err();
        assert_eq!((told.read, told.trouble.kind), (vec![1], TroubleKind::Denied));
        assert_eq!(after(None, Ok(vec![1])).unwrap(), [1]);
    }
}
