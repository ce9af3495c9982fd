//! What is known of AWS's own answers, as a table against the simulator: codes and sentences of refusals, limits from
//! both sides, and what is so when nothing is said. Known from AWS's models and documentation, or seen on AWS.

use crate::sim::{json, query, still};
use coredeck::sim::Running;
use serde_json::{Value, json as value};

/// How a service is asked.
enum Ask {
    /// A form: the service, and what stands in it besides the version.
    Form(&'static str, String),
    /// JSON: the service, and the operation with what it is given.
    Json(&'static str, &'static str, Value),
}

/// Asks, and returns the code and the sentence of a refusal; none for an answer.
async fn refusal(running: &Running, ask: &Ask) -> Option<(String, String)> {
    match ask {
        Ask::Form(service, form) => {
            let version = match *service {
                "ec2" => "2016-11-15",
                "autoscaling" => "2011-01-01",
                _ => "2015-12-01",
            };
            let said = query(running, service, &format!("Version={version}&{form}")).await;
            let part = |name: &str| {
                let (_, rest) = said.split_once(&format!("<{name}>"))?;
                Some(rest.split('<').next().unwrap_or_default().to_owned())
            };
            assert_eq!(said.starts_with("HTTP/1.1 200"), part("Code").is_none(), "{said}");
            part("Code").map(|code| (code, part("Message").unwrap_or_default().replace("&apos;", "'")))
        }
        Ask::Json(service, operation, asked) => {
            let target = match *service {
                "ecs" => "AmazonEC2ContainerServiceV20141113",
                "ssm" => "AmazonSSM",
                _ => "Logs_20140328",
            };
            let said = json(running, service, &format!("{target}.{operation}"), asked.clone()).await;
            let text = |name: &str| said[name].as_str().map(str::to_owned);
            text("__type").map(|code| (code, text("message").unwrap_or_default()))
        }
    }
}

fn ec2(form: &str) -> Ask {
    Ask::Form("ec2", form.to_owned())
}

fn group(form: &str) -> Ask {
    Ask::Form("autoscaling", format!("AutoScalingGroupName=dev-hosts&{form}"))
}

fn balancer(form: &str) -> Ask {
    Ask::Form("elasticloadbalancing", form.to_owned())
}

fn ecs(operation: &'static str, asked: Value) -> Ask {
    Ask::Json("ecs", operation, asked)
}

fn ssm(operation: &'static str, asked: Value) -> Ask {
    Ask::Json("ssm", operation, asked)
}

/// `Name.1=x&Name.2=x&…`
fn many(name: &str, of: &str, count: usize) -> String {
    (1..=count).map(|n| format!("&{name}.{n}={of}{n:017x}")).collect()
}

fn texts(of: &str, count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("{of}{n:017x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_codes_and_sentences_of_aws() {
    let running = still().await;
    let nobody = "i-0123456789abcdef0";
    let arn = "arn:aws:elasticloadbalancing:us-east-1:000000000001:targetgroup/nobody/0123456789abcdef";
    let template = "LaunchTemplateName=nobody&LaunchTemplateData.InstanceType=t3.small";
    let rows: Vec<(Ask, &str, String)> = vec![
        (
            ec2(&format!("Action=DescribeInstances&InstanceId.1={nobody}")),
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{nobody}' does not exist"),
        ),
        (
            ec2(&format!("Action=TerminateInstances&InstanceId.1={nobody}")),
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{nobody}' does not exist"),
        ),
        (
            ec2("Action=DescribeInstances&DryRun=true"),
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.".into(),
        ),
        (
            ec2(&format!("Action=DescribeInstances&InstanceId.1={nobody}&MaxResults=5")),
            "InvalidParameterCombination",
            String::new(),
        ),
        (ec2("Action=DescribeInstances&MaxResults=1001"), "InvalidParameterValue", String::new()),
        (ec2("Action=DescribeInstances&NextToken=nonsense"), "InvalidParameterValue", String::new()),
        (
            ec2("Action=DescribeInstanceTypes&InstanceType.1=m5.gigantic"),
            "InvalidInstanceType",
            String::new(),
        ),
        (
            ec2(&format!("Action=CreateLaunchTemplateVersion&{template}")),
            "InvalidLaunchTemplateName.NotFoundException",
            String::new(),
        ),
        (
            ec2("Action=DescribeLaunchTemplates&LaunchTemplateId.1=lt-0123456789abcdef0"),
            "InvalidLaunchTemplateId.NotFound",
            String::new(),
        ),
        (
            ec2("Action=MakeCoffee"),
            "InvalidAction",
            "The action MakeCoffee is not valid for this web service.".into(),
        ),
        (group("Action=CancelInstanceRefresh"), "ActiveInstanceRefreshNotFound", String::new()),
        (group("Action=RollbackInstanceRefresh"), "ActiveInstanceRefreshNotFound", String::new()),
        (
            group("Action=SetDesiredCapacity&DesiredCapacity=99"),
            "ValidationError",
            "New SetDesiredCapacity value 99 is above max value".into(),
        ),
        (
            Ask::Form(
                "autoscaling",
                format!(
                    "Action=TerminateInstanceInAutoScalingGroup&ShouldDecrementDesiredCapacity=true&InstanceId={nobody}"
                ),
            ),
            "ValidationError",
            format!("Instance Id not found - No managed instance found for instance ID: {nobody}"),
        ),
        (
            Ask::Form("autoscaling", "Action=DescribeAutoScalingGroups&MaxRecords=101".into()),
            "ValidationError",
            String::new(),
        ),
        (
            Ask::Form("autoscaling", "Action=DescribeAutoScalingInstances&MaxRecords=51".into()),
            "ValidationError",
            String::new(),
        ),
        (
            ecs("ListTasks", value!({ "cluster": "nobody" })),
            "ClusterNotFoundException",
            "Cluster not found.".into(),
        ),
        (
            ecs("UpdateService", value!({ "cluster": "api-prod", "service": "nobody" })),
            "ServiceNotFoundException",
            "Service not found.".into(),
        ),
        (
            ecs("DescribeServices", value!({ "cluster": "api-prod", "services": texts("s", 11) })),
            "InvalidParameterException",
            String::new(),
        ),
        (
            ecs("DescribeTasks", value!({ "cluster": "api-prod", "tasks": texts("t", 101) })),
            "InvalidParameterException",
            String::new(),
        ),
        (
            ecs(
                "DescribeContainerInstances",
                value!({ "cluster": "api-prod", "containerInstances": texts("h", 101) }),
            ),
            "InvalidParameterException",
            String::new(),
        ),
        (
            ecs(
                "UpdateContainerInstancesState",
                value!({ "cluster": "api-prod", "status": "DRAINING", "containerInstances": texts("h", 11) }),
            ),
            "InvalidParameterException",
            String::new(),
        ),
        (
            ecs(
                "UpdateContainerInstancesState",
                value!({ "cluster": "api-prod", "status": "INACTIVE", "containerInstances": ["h"] }),
            ),
            "InvalidParameterException",
            "Container instance status should be one of [ACTIVE,DRAINING]".into(),
        ),
        (
            ecs("GetTaskProtection", value!({ "cluster": "api-prod", "tasks": texts("t", 101) })),
            "InvalidParameterException",
            String::new(),
        ),
        (
            ecs(
                "UpdateTaskProtection",
                value!({ "cluster": "api-prod", "protectionEnabled": true, "tasks": texts("t", 11) }),
            ),
            "InvalidParameterException",
            String::new(),
        ),
        (
            ecs("StopTask", value!({ "cluster": "api-prod", "task": "0".repeat(32) })),
            "InvalidParameterException",
            "The referenced task was not found.".into(),
        ),
        (ecs("MakeCoffee", value!({})), "UnknownOperationException", String::new()),
        (
            balancer(&format!("Action=DescribeTargetHealth&TargetGroupArn={arn}")),
            "TargetGroupNotFound",
            String::new(),
        ),
        (ssm("GetParameter", value!({ "Name": "/no/such" })), "ParameterNotFound", String::new()),
        (
            ssm("SendCommand", value!({ "DocumentName": "nobody", "InstanceIds": [nobody] })),
            "InvalidDocument",
            String::new(),
        ),
        (
            ssm("GetCommandInvocation", value!({ "CommandId": "0".repeat(36), "InstanceId": nobody })),
            "InvocationDoesNotExist",
            String::new(),
        ),
        (
            Ask::Json(
                "logs",
                "PutRetentionPolicy",
                value!({ "logGroupName": "/ecs/auth-api", "retentionInDays": 33 }),
            ),
            "InvalidParameterException",
            String::new(),
        ),
    ];
    let mut wrong = Vec::new();
    for (ask, code, words) in &rows {
        let said = refusal(&running, ask).await;
        if !said.as_ref().is_some_and(|(was, sentence)| was == code && sentence.contains(words.as_str())) {
            wrong.push(format!("{code}: {words} was expected, {said:?} came"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(running.mutations().iter().all(|one| !one.acted), "what is refused does nothing");
}

/// The smallest and largest that AWS takes, and one beyond each.
#[tokio::test(flavor = "multi_thread")]
async fn limits_are_where_aws_has_them() {
    let running = still().await;
    let found = query(&running, "autoscaling", "Action=DescribeAutoScalingGroups&Version=2011-01-01").await;
    assert!(found.contains("dev-hosts"));
    let hook = |seconds: i64| {
        let transition = "LifecycleTransition=autoscaling%3AEC2_INSTANCE_TERMINATING";
        group(&format!("Action=PutLifecycleHook&LifecycleHookName=h&{transition}&HeartbeatTimeout={seconds}"))
    };
    let wishes = |wishes: &str| group(&format!("Action=StartInstanceRefresh&Preferences.{wishes}"));
    let target_groups = query(
        &running,
        "elasticloadbalancing",
        "Action=DescribeTargetGroups&Version=2015-12-01&Names.member.1=core-meadowlark",
    )
    .await;
    let (_, rest) = target_groups.split_once("<TargetGroupArn>").unwrap();
    let arn = rest.split('<').next().unwrap().to_owned();
    let delay = |seconds: &str| {
        balancer(&format!(
            "Action=ModifyTargetGroupAttributes&TargetGroupArn={arn}&Attributes.member.1.Key=deregistration_delay.timeout_seconds&Attributes.member.1.Value={seconds}"
        ))
    };
    let send = |more: Value| {
        let mut asked = value!({
            "DocumentName": "AWS-RunShellScript", "Parameters": { "commands": ["docker ps"] },
            "Targets": [{ "Key": "tag:Name", "Values": ["nobody"] }]
        });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ssm("SendCommand", asked)
    };
    let image = "ImageId=ami-0123456789abcdef0&MinCount=1&MaxCount=1";
    // Whether it is taken; of what is taken the code may still say that something is not there.
    let rows: Vec<(Ask, Result<(), &str>)> = vec![
        (hook(29), Err("ValidationError")),
        (hook(30), Ok(())),
        (hook(7200), Ok(())),
        (hook(7201), Err("ValidationError")),
        (wishes("MinHealthyPercentage=101"), Err("ValidationError")),
        (wishes("MinHealthyPercentage=100&Preferences.MaxHealthyPercentage=201"), Err("ValidationError")),
        (wishes("MinHealthyPercentage=50&Preferences.MaxHealthyPercentage=151"), Err("ValidationError")),
        (wishes("MaxHealthyPercentage=110"), Err("ValidationError")),
        (
            wishes("CheckpointPercentages.member.1=50&Preferences.CheckpointPercentages.member.2=20"),
            Err("ValidationError"),
        ),
        (
            wishes("CheckpointPercentages.member.1=50&Preferences.CheckpointPercentages.member.2=50"),
            Err("ValidationError"),
        ),
        (wishes("CheckpointDelay=60"), Err("ValidationError")),
        (
            wishes("CheckpointPercentages.member.1=50&Preferences.CheckpointDelay=172801"),
            Err("ValidationError"),
        ),
        (wishes("BakeTime=172801"), Err("ValidationError")),
        (wishes("AutoRollback=true"), Err("ValidationError")),
        (
            wishes(&many("AlarmSpecification.Alarms.member", "a", 11).replace("&A", "&Preferences.A")),
            Err("ValidationError"),
        ),
        (
            group(&format!(
                "Action=EnterStandby&ShouldDecrementDesiredCapacity=true{}",
                many("InstanceIds.member", "i-", 21)
            )),
            Err("ValidationError"),
        ),
        (
            group(&format!(
                "Action=DetachInstances&ShouldDecrementDesiredCapacity=true{}",
                many("InstanceIds.member", "i-", 21)
            )),
            Err("ValidationError"),
        ),
        (
            group(&format!(
                "Action=SetInstanceProtection&ProtectedFromScaleIn=true{}",
                many("InstanceIds.member", "i-", 51)
            )),
            Err("ValidationError"),
        ),
        (delay("0"), Ok(())),
        (delay("3600"), Ok(())),
        (delay("3601"), Err("ValidationError")),
        (send(value!({ "TimeoutSeconds": 29 })), Err("ValidationException")),
        (send(value!({ "TimeoutSeconds": 30 })), Ok(())),
        (send(value!({ "TimeoutSeconds": 2_592_000 })), Ok(())),
        (send(value!({ "TimeoutSeconds": 2_592_001 })), Err("ValidationException")),
        (send(value!({ "Comment": "c".repeat(100) })), Ok(())),
        (send(value!({ "Comment": "c".repeat(101) })), Err("ValidationException")),
        (send(value!({ "MaxErrors": "101%" })), Err("ValidationException")),
        (
            ssm(
                "SendCommand",
                value!({ "DocumentName": "AWS-RunShellScript", "Parameters": { "commands": ["id"] }, "InstanceIds": texts("i-", 51) }),
            ),
            Err("ValidationException"),
        ),
        (
            ecs(
                "UpdateTaskProtection",
                value!({ "cluster": "api-prod", "protectionEnabled": true, "expiresInMinutes": 0, "tasks": ["t"] }),
            ),
            Err("InvalidParameterException"),
        ),
        (
            ecs(
                "UpdateTaskProtection",
                value!({ "cluster": "api-prod", "protectionEnabled": true, "expiresInMinutes": 2881, "tasks": ["t"] }),
            ),
            Err("InvalidParameterException"),
        ),
        (
            ecs(
                "UpdateTaskProtection",
                value!({ "cluster": "api-prod", "protectionEnabled": true, "expiresInMinutes": 2880, "tasks": ["t"] }),
            ),
            Ok(()),
        ),
        (
            ecs(
                "RunTask",
                value!({ "cluster": "workers-prod", "taskDefinition": "email-worker", "count": 11 }),
            ),
            Err("InvalidParameterException"),
        ),
        (
            ec2(&format!("Action=RunInstances&{image}&ClientToken={}", "t".repeat(65))),
            Err("InvalidParameterValue"),
        ),
        (
            ec2(&format!("Action=RunInstances&{image}&ClientToken={}", "t".repeat(64))),
            Err("InvalidAMIID.NotFound"),
        ),
    ];
    let mut wrong = Vec::new();
    for (ask, expected) in rows {
        let asked = match &ask {
            Ask::Form(_, form) => form.clone(),
            Ask::Json(_, operation, asked) => format!("{operation} {asked}"),
        };
        let said = refusal(&running, &ask).await;
        let code = said.as_ref().map(|(code, _)| code.as_str());
        if code != expected.err() {
            wrong.push(format!("{asked}\n  {expected:?} was expected, {said:?} came"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What AWS takes for said when it is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_said_is_what_aws_makes_of_it() {
    let running = still().await;
    let ask = async |service: &str, form: &str| {
        let said = query(&running, service, form).await;
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
        said
    };
    let asg = "Version=2011-01-01&AutoScalingGroupName=dev-hosts";
    let hook = "LifecycleHookName=h&LifecycleTransition=autoscaling%3AEC2_INSTANCE_LAUNCHING";
    ask("autoscaling", &format!("Action=PutLifecycleHook&{asg}&{hook}")).await;
    let hooks = ask("autoscaling", &format!("Action=DescribeLifecycleHooks&{asg}")).await;
    for part in ["<HeartbeatTimeout>3600<", "<DefaultResult>ABANDON<", "<GlobalTimeout>172800<"] {
        assert!(hooks.contains(part), "{part}: {hooks}");
    }
    // A hundred heartbeats where that is less than 48 hours.
    ask("autoscaling", &format!("Action=PutLifecycleHook&{asg}&{hook}&HeartbeatTimeout=60")).await;
    let hooks = ask("autoscaling", &format!("Action=DescribeLifecycleHooks&{asg}")).await;
    assert!(hooks.contains("<GlobalTimeout>6000<"), "{hooks}");

    let checkpoint = "Preferences.CheckpointPercentages.member.1=100";
    ask("autoscaling", &format!("Action=StartInstanceRefresh&{asg}&{checkpoint}")).await;
    let refreshes = ask("autoscaling", &format!("Action=DescribeInstanceRefreshes&{asg}")).await;
    for part in [
        "<Status>Pending<",
        "<MinHealthyPercentage>90<",
        "<CheckpointDelay>3600<",
        "<SkipMatching>false<",
        "<AutoRollback>false<",
        "<ScaleInProtectedInstances>Wait<",
        "<StandbyInstances>Wait<",
        "<Strategy>Rolling<",
    ] {
        assert!(refreshes.contains(part), "{part}: {refreshes}");
    }
    // Without a desired configuration there is nothing to go back to.
    let back = query(&running, "autoscaling", &format!("Action=RollbackInstanceRefresh&{asg}")).await;
    assert!(back.contains("<Code>IrreversibleInstanceRefresh</Code>"), "{back}");

    let image = ask("ec2", "Version=2016-11-15&Action=DescribeImages&Owner.1=self").await;
    let (_, image) = image.split_once("<imageId>").unwrap();
    let image = image.split('<').next().unwrap();
    let run = format!("Version=2016-11-15&Action=RunInstances&MinCount=1&MaxCount=1&ImageId={image}");
    assert!(ask("ec2", &run).await.contains("<name>pending</name>"));

    let target = "AmazonEC2ContainerServiceV20141113";
    let listed = value!({ "cluster": "api-prod", "serviceName": "auth-core" });
    let tasks = json(&running, "ecs", &format!("{target}.ListTasks"), listed).await;
    let protect =
        value!({ "cluster": "api-prod", "tasks": [tasks["taskArns"][0]], "protectionEnabled": true });
    let said = json(&running, "ecs", &format!("{target}.UpdateTaskProtection"), protect).await;
    let until = said["protectedTasks"][0]["expirationDate"].as_f64().unwrap();
    let noon: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    assert_eq!(until - noon.as_second() as f64, 120.0 * 60.0, "{said}");

    let asked = value!({
        "DocumentName": "AWS-RunShellScript", "Parameters": { "commands": ["docker ps"] },
        "Targets": [{ "Key": "tag:Name", "Values": ["nobody"] }]
    });
    let sent = json(&running, "ssm", "AmazonSSM.SendCommand", asked).await["Command"].take();
    let usual = ["MaxConcurrency", "MaxErrors", "TimeoutSeconds"].map(|name| &sent[name]);
    assert_eq!(usual, [&value!("50"), &value!("0"), &value!(3600)], "{sent}");
}
