//! Judged by moto and boto3: operations that the real binary ran are what boto3 then reads, and taken back they
//! are what it read before. The runner is a process of its own in real time, as on a bastion.
//!
//! Moto's own ways, which are not AWS's: tasks of a draining host neither stop nor move, so whoever judges stops
//! them here as a scheduler would; a deployment never ends, so `redeploy` is cancelled when boto3 has seen it;
//! nothing of a reboot can be seen, so only its refusal to be taken back is; members in standby stay targets of
//! their group's load balancer; whoever scales in ends any member; it knows no task protection, which must be a
//! warning and never a silence.

use super::Changed;
use crate::binary::Home;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

/// What an operation gave.
struct Ended {
    code: i32,
    /// The operation's id; empty where none was entered.
    id: String,
    said: String,
}

/// An engineer at a terminal.
struct Seat<'a> {
    scene: &'a Changed,
    home: &'a Home,
}

impl Seat<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.home.command();
        command.args(args).args(["--endpoint-url", &self.scene.moto.url]);
        command
    }

    /// Runs a command to its end.
    fn run(&self, args: &[&str]) -> Ended {
        self.watched(args, |_| ())
    }

    /// Runs a command to its end, and looks at each line as it comes.
    fn watched(&self, args: &[&str], mut see: impl FnMut(&str)) -> Ended {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok) {
            see(&line);
            said += &(line + "\n");
        }
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let code = child.wait().unwrap().code().unwrap_or(-1);
        let id = said.lines().find_map(|line| line.strip_prefix("operation ")?.split(' ').next());
        let id = id.unwrap_or_default().to_owned();
        Ended { code, id, said }
    }

    /// Runs an operation that must end well.
    fn done(&self, args: &[&str]) -> Ended {
        let ended = self.run(&[args, &["--yes"]].concat());
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.said);
        ended
    }

    /// Takes an operation back.
    fn undone(&self, ended: &Ended) {
        self.done(&["op", "rollback", &ended.id]);
    }

    /// Fails to take an operation back, and says why.
    fn kept(&self, ended: &Ended, why: &str) {
        let refused = self.run(&["op", "rollback", &ended.id, "--yes"]);
        assert!(refused.code == 1 && refused.said.contains(why), "{}: {}", refused.code, refused.said);
    }
}

/// Everything on a fleet of its own.
fn with(judge: impl FnOnce(&Seat)) {
    let Some(scene) = Changed::new() else { return };
    let home = Home::new();
    judge(&Seat { scene: &scene, home: &home });
    let ended = Seat { scene: &scene, home: &home }.run(&["op", "verify"]);
    assert_eq!(ended.code, 0, "{}", ended.said);
}

#[test]
fn members_and_groups_are_what_boto3_then_reads_and_again_what_they_were() {
    with(|seat| {
        let scene = seat.scene;
        let (one, two) = (scene.made("/members/guarded/0"), scene.made("/members/guarded/1"));
        let is_guarded = |id| scene.member("guarded", id)["ProtectedFromScaleIn"] == true;
        let protect = seat.done(&["protect", one, two]);
        assert!(is_guarded(one) && is_guarded(two));
        let unprotect = seat.done(&["unprotect", one]);
        assert!(!is_guarded(one) && is_guarded(two));
        seat.undone(&unprotect);
        assert!(is_guarded(one) && is_guarded(two));
        seat.undone(&protect);
        assert!(!is_guarded(one) && !is_guarded(two));

        // A plan that somebody else made stale, with boto3: refused, and the difference named.
        let plan = seat.home.path().join("plan.json");
        let plan = plan.to_str().unwrap();
        assert_eq!(seat.run(&["protect", one, "--plan-out", plan]).code, 0);
        let behind = json!({
            "AutoScalingGroupName": "guarded", "InstanceIds": [one], "ProtectedFromScaleIn": true
        });
        scene.boto.ask("autoscaling", "set_instance_protection", behind);
        let stale = seat.run(&["apply", plan, "--yes"]);
        assert!(stale.code == 1 && stale.said.contains(one), "{}: {}", stale.code, stale.said);

        let (one, state) = (scene.made("/members/spare/0"), |id| {
            let desired = scene.group("spare")["DesiredCapacity"].as_u64().unwrap();
            (scene.member("spare", id)["LifecycleState"].as_str().unwrap().to_owned(), desired)
        });
        let standby = seat.done(&["standby", one]);
        assert_eq!(state(one), ("Standby".to_owned(), 2));
        let back = seat.done(&["return", one]);
        assert_eq!(state(one), ("InService".to_owned(), 3));
        seat.undone(&back);
        assert_eq!(state(one), ("Standby".to_owned(), 2));
        seat.undone(&standby);
        assert_eq!(state(one), ("InService".to_owned(), 3));
        let replaced = seat.done(&["standby", one, "--replace"]);
        assert_eq!(state(one), ("Standby".to_owned(), 3));
        assert_eq!(scene.group("spare")["Instances"].as_array().unwrap().len(), 4, "one more was launched");
        seat.undone(&replaced);
        assert_eq!(state(one), ("InService".to_owned(), 4));

        let suspend = seat.done(&["suspend", "still", "--process", "AZRebalance,HealthCheck"]);
        assert_eq!(scene.suspended("still"), ["AZRebalance", "HealthCheck"]);
        let resume = seat.done(&["resume", "still", "--process", "HealthCheck"]);
        assert_eq!(scene.suspended("still"), ["AZRebalance"]);
        seat.undone(&resume);
        assert_eq!(scene.suspended("still"), ["AZRebalance", "HealthCheck"]);
        seat.undone(&suspend);
        assert!(scene.suspended("still").is_empty());

        let size = || {
            let group = scene.group("sized");
            let number = |name: &str| group[name].as_u64().unwrap();
            let members = group["Instances"].as_array().unwrap().len();
            (number("MinSize"), number("DesiredCapacity"), number("MaxSize"), members)
        };
        let scale = seat.done(&["scale", "sized", "--desired", "4"]);
        assert_eq!(size(), (0, 4, 6, 4));
        seat.undone(&scale);
        assert_eq!(size(), (0, 2, 6, 2));
        let bounds = seat.done(&["scale", "sized", "--min", "1", "--max", "9", "--desired", "3"]);
        assert_eq!(size(), (1, 3, 9, 3));
        seat.undone(&bounds);
        assert_eq!(size(), (0, 2, 6, 2));
        let refused = seat.run(&["scale", "sized", "--desired", "7", "--yes"]);
        assert!(refused.code == 1 && refused.said.contains("--max 7"), "{}", refused.said);
        assert_eq!(size(), (0, 2, 6, 2), "moto would have taken it");

        let (one, two) = (scene.made("/members/ended/0"), scene.made("/members/ended/1"));
        let ended = seat.done(&["terminate", one, "--no-replace"]);
        assert_eq!(
            (scene.state(one).as_str(), &scene.group("ended")["DesiredCapacity"]),
            ("terminated", &json!(2))
        );
        seat.kept(&ended, "an instance that was ended is gone");
        seat.done(&["terminate", two]);
        let group = scene.group("ended");
        assert_eq!((scene.state(two).as_str(), &group["DesiredCapacity"]), ("terminated", &json!(2)));
        assert_eq!(group["Instances"].as_array().unwrap().len(), 2, "another one took its place");
    });
}

#[test]
fn instances_services_and_tasks_are_what_boto3_then_reads() {
    with(|seat| {
        let scene = seat.scene;
        let (one, two) = (scene.made("/alone/2"), scene.made("/alone/3"));
        let stop = seat.done(&["stop", one, two]);
        assert_eq!((scene.state(one), scene.state(two)), ("stopped".to_owned(), "stopped".to_owned()));
        let start = seat.done(&["start", one]);
        assert_eq!((scene.state(one), scene.state(two)), ("running".to_owned(), "stopped".to_owned()));
        seat.undone(&start);
        assert_eq!(scene.state(one), "stopped");
        seat.undone(&stop);
        assert_eq!((scene.state(one), scene.state(two)), ("running".to_owned(), "running".to_owned()));
        let reboot = seat.done(&["reboot", one]);
        assert_eq!(scene.state(one), "running");
        seat.kept(&reboot, "a reboot cannot be taken back");
        let three = scene.made("/alone/4");
        let ended = seat.done(&["terminate", three]);
        assert_eq!(scene.state(three), "terminated");
        seat.kept(&ended, "an instance that was ended is gone");

        let sizes = || {
            let service = scene.service("sized");
            (service["desiredCount"].as_u64().unwrap(), service["runningCount"].as_u64().unwrap())
        };
        let scale = seat.done(&["scale", "cores/sized", "--desired", "5"]);
        assert_eq!(sizes(), (5, 5));
        seat.undone(&scale);
        assert_eq!(sizes(), (2, 2));
        let deployment = || scene.service("again")["deployments"][0]["id"].as_str().unwrap().to_owned();
        let before = deployment();
        let begun = seat.run(&["redeploy", "cores/again", "--yes", "--detach"]);
        assert_eq!(begun.code, 7, "{}", begun.said);
        // Followed until AWS has taken it; in moto it would go on for ever.
        let mut watch = seat.command(&["op", "watch", &begun.id]);
        let mut watch = watch.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(watch.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("AWS took it")));
        watch.kill().unwrap();
        watch.wait().unwrap();
        assert_ne!(deployment(), before);
        let cancelled = seat.run(&["op", "cancel", &begun.id]);
        assert_eq!(cancelled.code, 5, "{}", cancelled.said);
        seat.kept(&begun, "tasks that were replaced are gone");

        let task = scene.made(&format!("/tasks/{}/0", scene.made("/members/hosts/0"))).to_owned();
        let stopped = seat.done(&["stop", task.rsplit('/').next().unwrap()]);
        let seen = scene.task(&task);
        assert_eq!(seen["lastStatus"], "STOPPED", "{seen}");
        assert!(seen["stoppedReason"].as_str().unwrap().contains(&stopped.id), "{seen}");
        seat.kept(&stopped, "it is gone");
    });
}

/// Stops the tasks of a machine as a scheduler would, when its host drains.
fn moves(seat: &Seat, machine: &str) -> impl FnMut(&str) {
    let scene = seat.scene;
    let tasks = scene.made.pointer(&format!("/tasks/{machine}")).unwrap().clone();
    move |line| {
        if line.ends_with("to DRAINING: done") {
            for task in tasks.as_array().unwrap() {
                let stop = json!({ "cluster": "cores", "task": task, "reason": "moved" });
                scene.boto.ask("ecs", "stop_task", stop);
            }
        }
    }
}

#[test]
fn drained_hosts_are_what_boto3_then_reads_and_again_what_they_were() {
    with(|seat| {
        let scene = seat.scene;
        let (kept, standing) = (scene.made("/alone/0"), scene.made("/members/moved/0"));
        let (ended, late) = (scene.made("/members/moved/1"), scene.made("/members/hosts/0"));
        let (forced, alone) = (scene.made("/members/hosts/1"), scene.made("/members/hosts/3"));
        let target = format!("{kept}:3567");
        assert_eq!(scene.targets("direct"), [target.as_str()]);
        let drain = |machine: &str, more: &[&str]| {
            seat.watched(&[&["drain", machine, "--yes"], more].concat(), moves(seat, machine))
        };
        let alike = |machine: &str, more: &[&str]| seat.run(&[&["drain", machine, "--yes"], more].concat());
        // Side by side: each waits in real time for what the scheduler does, or does not.
        let (kept_end, standing_end, ended_end, late_end, forced_end) = std::thread::scope(|scope| {
            let kept = scope.spawn(|| drain(kept, &[]));
            let standing = scope.spawn(|| drain(standing, &["--then", "standby"]));
            let ended = scope.spawn(|| drain(ended, &["--then", "terminate", "--no-replace"]));
            let late = scope.spawn(|| alike(late, &["--patience", "3s"]));
            let forced = scope.spawn(|| alike(forced, &["--patience", "3s", "--on-timeout", "force"]));
            (
                kept.join().unwrap(),
                standing.join().unwrap(),
                ended.join().unwrap(),
                late.join().unwrap(),
                forced.join().unwrap(),
            )
        });
        let well = [&kept_end, &standing_end, &ended_end, &forced_end];
        assert!(well.iter().all(|end| end.code == 0), "{:?}", well.map(|end| &end.said));
        assert!(kept_end.said.contains("whether tasks are protected is not known"), "{}", kept_end.said);

        assert_eq!(scene.host(kept), "DRAINING");
        assert!(scene.targets("direct").is_empty());
        assert_eq!(scene.host(standing), "DRAINING");
        assert_eq!(scene.member("moved", standing)["LifecycleState"], "Standby");
        assert_eq!(scene.state(ended), "terminated");
        assert_eq!(scene.group("moved")["DesiredCapacity"], 1);
        assert_eq!(scene.targets("other"), [format!("{}:80", scene.made("/alone/1"))], "nobody else's");

        // Nothing moved in time: taken back, and the task is as it was.
        assert_eq!(late_end.code, 6, "{}", late_end.said);
        assert_eq!(scene.host(late), "ACTIVE");
        let first = |machine: &str| scene.task(scene.made(&format!("/tasks/{machine}/0")));
        assert_eq!(first(late)["lastStatus"], "RUNNING");
        // Nothing moved in time, and it was to be forced.
        assert_eq!(scene.host(forced), "DRAINING");
        let task = first(forced);
        assert_eq!(task["lastStatus"], "STOPPED");
        assert!(task["stoppedReason"].as_str().unwrap().contains(&forced_end.id), "{task}");

        seat.undone(&kept_end);
        assert_eq!(scene.host(kept), "ACTIVE");
        assert_eq!(scene.targets("direct"), [target.as_str()]);
        seat.undone(&standing_end);
        assert_eq!(scene.host(standing), "ACTIVE");
        assert_eq!(scene.member("moved", standing)["LifecycleState"], "InService");
        assert_eq!(scene.group("moved")["DesiredCapacity"], 2);

        // Tasks of nobody: kept unless it is said that they may go.
        let refused = seat.run(&["drain", alone, "--yes"]);
        assert!(refused.code == 1 && refused.said.contains("--include-standalone"), "{}", refused.said);
        assert_eq!(scene.host(alone), "ACTIVE");
        let emptied = seat.done(&["drain", alone, "--include-standalone"]);
        assert_eq!(scene.host(alone), "DRAINING");
        for task in scene.made["alone_tasks"].as_array().unwrap() {
            let task = scene.task(task.as_str().unwrap());
            assert_eq!(task["lastStatus"], "STOPPED");
            assert!(task["stoppedReason"].as_str().unwrap().contains(&emptied.id), "{task}");
        }
        let active = seat.done(&["undrain", alone]);
        assert_eq!(scene.host(alone), "ACTIVE");
        seat.undone(&active);
        assert_eq!(scene.host(alone), "DRAINING");
        seat.undone(&emptied);
        assert_eq!(scene.host(alone), "ACTIVE");
    });
}
