//! Judged by moto and boto3: every list that `coredeck get … -o json` prints equals boto3's, field for field.
//!
//! One table a kind says which of AWS's fields each column must equal. Every column is either in its table
//! or named as joined from elsewhere, so that a new column cannot slip by unjudged.

use super::{Seeded, seeded};
use crate::binary::Home;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a column must hold, taken from boto3's element.
type Take = fn(&Value) -> Value;

/// How one kind is judged.
struct Judged<'a> {
    kind: &'a str,
    /// boto3's elements.
    truth: Vec<Value>,
    /// The column that tells rows apart, and the same from boto3's element.
    key: (&'a str, Take),
    columns: &'a [(&'a str, Take)],
    /// Columns that other lists or our own judgement fill: not in boto3's element.
    joined: &'a [&'a str],
    /// Lists behind joined columns that moto cannot answer: each must be named as a trouble.
    unread: &'a [&'a str],
}

impl Judged<'_> {
    /// Lists with the binary and compares.
    fn judge(&self, seeded: &Seeded) {
        let rows = rows(seeded, self.kind, self.unread);
        let (key, take_key) = self.key;
        let mut ours = BTreeMap::new();
        for row in &rows {
            let id = row[key].as_str().unwrap_or_else(|| panic!("`{key}` is no text in {row}")).to_owned();
            assert!(ours.insert(id.clone(), row).is_none(), "{}: {id} is listed twice", self.kind);
        }
        let theirs: BTreeMap<String, &Value> =
            self.truth.iter().map(|raw| (take_key(raw).as_str().unwrap().to_owned(), raw)).collect();
        let missing: Vec<_> = theirs.keys().filter(|id| !ours.contains_key(*id)).collect();
        let extra: Vec<_> = ours.keys().filter(|id| !theirs.contains_key(*id)).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{}: missing {missing:?}, extra {extra:?}",
            self.kind
        );

        let named: BTreeSet<&str> =
            self.columns.iter().map(|column| column.0).chain(self.joined.iter().copied()).collect();
        let mut faults = Vec::new();
        for (id, row) in &ours {
            let row = row.as_object().unwrap();
            let have: BTreeSet<&str> = row.keys().map(String::as_str).collect();
            assert_eq!(have, named, "{}: columns that are judged or named as joined", self.kind);
            for (column, take) in self.columns {
                let expected = plain(&take(theirs[id]));
                let found = plain(&row[*column]);
                if found != expected {
                    faults.push(format!("{id} {column}: {found} is not boto3's {expected}"));
                }
            }
        }
        let shown = faults.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert!(faults.is_empty(), "{}: {} differences\n{shown}", self.kind, faults.len());
    }
}

/// Lists a kind with the binary. What moto cannot answer must be named, and nothing else may be.
fn rows(seeded: &Seeded, kind: &str, unread: &[&str]) -> Vec<Value> {
    let ran =
        Home::new().run(&["get", kind, "-o", "json", "--allow-partial", "--endpoint-url", &seeded.moto.url]);
    assert_eq!(ran.code, Some(0), "{kind}: {}", ran.err);
    let json = ran.json();
    let warnings = json["warnings"].as_array().unwrap();
    let named: BTreeSet<&str> = warnings.iter().map(|warning| warning["source"].as_str().unwrap()).collect();
    assert_eq!(named, unread.iter().copied().collect(), "{kind}: warnings {warnings:#?}");
    ran.data()
}

/// Moments as one spelling, whatever digits they came with; all else as it is.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(at) => json!(at.to_string()),
            Err(_) => value.clone(),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
        }
        value => value.clone(),
    }
}

/// A text that AWS may leave out, and that moto may write as an empty one.
fn maybe(raw: &Value) -> Value {
    if raw == "" { Value::Null } else { raw.clone() }
}

/// Tags in the spelling of EC2 and Auto Scaling, or of ECS, as a map.
fn tags(raw: &Value) -> Value {
    let pairs = raw.as_array().cloned().unwrap_or_default();
    let part = |tag: &Value, name: &str| {
        tag[name].as_str().or(tag[&name.to_lowercase()].as_str()).unwrap().to_owned()
    };
    Value::Object(
        pairs.iter().map(|tag| (part(tag, "Key"), json!(part(tag, "Value")))).collect::<Map<_, _>>(),
    )
}

fn tag(raw: &Value, key: &str) -> Value {
    tags(&raw["Tags"])[key].clone()
}

/// What follows the last `/`.
fn short(raw: &Value) -> Value {
    json!(raw.as_str().unwrap().rsplit('/').next().unwrap())
}

/// A list that AWS may leave out.
fn list(raw: &Value, take: Take) -> Value {
    raw.as_array().cloned().unwrap_or_default().iter().map(take).collect()
}

fn at_home(_: &Value) -> Value {
    json!("us-east-1")
}

#[test]
fn instances_equal_boto3_field_for_field() {
    let Some(seeded) = seeded() else { return };
    Judged {
        kind: "instances",
        truth: seeded.list("instances").to_vec(),
        key: ("id", |raw| raw["InstanceId"].clone()),
        columns: &[
            ("id", |raw| raw["InstanceId"].clone()),
            ("name", |raw| maybe(&tag(raw, "Name"))),
            ("type", |raw| raw["InstanceType"].clone()),
            ("state", |raw| raw["State"]["Name"].clone()),
            ("zone", |raw| raw["Placement"]["AvailabilityZone"].clone()),
            ("lifecycle", |raw| match raw["InstanceLifecycle"].as_str() {
                None => json!("on-demand"),
                Some(word) => json!(word),
            }),
            ("launched_at", |raw| raw["LaunchTime"].clone()),
            ("private_ip", |raw| maybe(&raw["PrivateIpAddress"])),
            ("public_ip", |raw| maybe(&raw["PublicIpAddress"])),
            ("image_id", |raw| raw["ImageId"].clone()),
            ("architecture", |raw| maybe(&raw["Architecture"])),
            ("reservation_id", |raw| raw["ReservationId"].clone()),
            ("owner_id", |raw| raw["OwnerId"].clone()),
            ("vpc_id", |raw| maybe(&raw["VpcId"])),
            ("subnet_id", |raw| maybe(&raw["SubnetId"])),
            ("key_name", |raw| maybe(&raw["KeyName"])),
            ("profile_arn", |raw| maybe(&raw["IamInstanceProfile"]["Arn"])),
            ("platform", |raw| maybe(&raw["PlatformDetails"])),
            ("security_groups", |raw| list(&raw["SecurityGroups"], |group| group["GroupId"].clone())),
            ("root_device", |raw| maybe(&raw["RootDeviceName"])),
            ("spot_request_id", |raw| maybe(&raw["SpotInstanceRequestId"])),
            ("detailed_monitoring", |raw| json!(raw["Monitoring"]["State"] == "enabled")),
            ("private_dns", |raw| maybe(&raw["PrivateDnsName"])),
            ("public_dns", |raw| maybe(&raw["PublicDnsName"])),
            ("state_reason", |raw| maybe(&raw["StateReason"]["Code"])),
            ("tags", |raw| tags(&raw["Tags"])),
            ("region", at_home),
        ],
        joined: &[
            "health",
            "troubles",
            "tier",
            "tier_by",
            "group",
            "image_name",
            "image_state",
            "image_created_at",
            "template",
            "template_version",
            "protected",
            "lifecycle_state",
            "group_health",
            "weight",
            "cluster",
            "ecs_status",
            "agent_connected",
            "ecs_agent",
            "running_tasks",
            "pending_tasks",
            "ssm",
            "ssm_last_ping_at",
            "ssm_version",
            "os",
            "system_check",
            "instance_check",
            "ebs_check",
            "events",
            "cores",
            "account",
        ],
        unread: &["agents", "alarms", "registry"],
    }
    .judge(seeded);
}

#[test]
fn groups_equal_boto3_field_for_field() {
    fn template(raw: &Value) -> Value {
        let of_mix = &raw["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"];
        if of_mix.is_null() { raw["LaunchTemplate"].clone() } else { of_mix.clone() }
    }
    fn spread(raw: &Value) -> &Value {
        &raw["MixedInstancesPolicy"]["InstancesDistribution"]
    }
    fn overrides(raw: &Value) -> &Value {
        &raw["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    }
    fn reference(raw: &Value) -> Value {
        if raw.is_null() {
            return Value::Null;
        }
        json!({ "id": raw["LaunchTemplateId"], "name": raw["LaunchTemplateName"], "version": raw["Version"] })
    }
    fn member(raw: &Value) -> Value {
        json!({
            "id": raw["InstanceId"], "instance_type": raw["InstanceType"], "zone": raw["AvailabilityZone"],
            "state": raw["LifecycleState"], "health": raw["HealthStatus"],
            "is_protected": raw["ProtectedFromScaleIn"], "template": reference(&raw["LaunchTemplate"]),
            "weight": raw["WeightedCapacity"].as_str().map(|n| n.parse::<u32>().unwrap()),
        })
    }
    let Some(seeded) = seeded() else { return };
    Judged {
        kind: "groups",
        truth: seeded.list("groups").to_vec(),
        key: ("id", |raw| raw["AutoScalingGroupName"].clone()),
        columns: &[
            ("id", |raw| raw["AutoScalingGroupName"].clone()),
            ("name", |raw| raw["AutoScalingGroupName"].clone()),
            ("arn", |raw| raw["AutoScalingGroupARN"].clone()),
            ("min", |raw| raw["MinSize"].clone()),
            ("max", |raw| raw["MaxSize"].clone()),
            ("desired", |raw| raw["DesiredCapacity"].clone()),
            ("size", |raw| json!(raw["Instances"].as_array().unwrap().len())),
            ("in_service", |raw| {
                let all = raw["Instances"].as_array().unwrap();
                json!(all.iter().filter(|member| member["LifecycleState"] == "InService").count())
            }),
            ("protected", |raw| {
                let all = raw["Instances"].as_array().unwrap();
                json!(all.iter().filter(|member| member["ProtectedFromScaleIn"] == true).count())
            }),
            ("members", |raw| list(&raw["Instances"], member)),
            ("template", |raw| template(raw)["LaunchTemplateName"].clone()),
            ("template_id", |raw| template(raw)["LaunchTemplateId"].clone()),
            ("template_version", |raw| template(raw)["Version"].clone()),
            ("launch_configuration", |raw| maybe(&raw["LaunchConfigurationName"])),
            ("on_demand_base", |raw| spread(raw)["OnDemandBaseCapacity"].clone()),
            ("on_demand_percent", |raw| spread(raw)["OnDemandPercentageAboveBaseCapacity"].clone()),
            ("spot_strategy", |raw| spread(raw)["SpotAllocationStrategy"].clone()),
            ("spot_max_price", |raw| maybe(&spread(raw)["SpotMaxPrice"])),
            ("types", |raw| match overrides(raw) {
                Value::Null => Value::Null,
                types => list(types, |kind| kind["InstanceType"].clone()),
            }),
            ("mix", |raw| match spread(raw) {
                Value::Null => Value::Null,
                spread => json!({
                    "on_demand_base": spread["OnDemandBaseCapacity"],
                    "on_demand_percent": spread["OnDemandPercentageAboveBaseCapacity"],
                    "spot_strategy": spread["SpotAllocationStrategy"],
                    "spot_max_price": maybe(&spread["SpotMaxPrice"]),
                    "types": list(overrides(raw), |kind| json!([kind["InstanceType"], kind["WeightedCapacity"]])),
                    "on_demand_strategy": maybe(&spread["OnDemandAllocationStrategy"]),
                    "spot_pools": spread["SpotInstancePools"],
                    // No type of the seed has a template of its own, and none is chosen by attributes.
                    "own": [],
                    "unheld": [],
                }),
            }),
            ("zones", |raw| raw["AvailabilityZones"].clone()),
            ("subnets", |raw| json!(raw["VPCZoneIdentifier"].as_str().unwrap().split(',').collect::<Vec<_>>())),
            ("health_check", |raw| raw["HealthCheckType"].clone()),
            ("grace", |raw| raw["HealthCheckGracePeriod"].clone()),
            ("warmup", |raw| raw["DefaultInstanceWarmup"].clone()),
            ("target_groups", |raw| raw["TargetGroupARNs"].clone()),
            ("suspended", |raw| list(&raw["SuspendedProcesses"], |process| process["ProcessName"].clone())),
            ("protects_new", |raw| raw["NewInstancesProtectedFromScaleIn"].clone()),
            ("rebalances", |raw| raw["CapacityRebalance"].clone()),
            ("termination_policies", |raw| raw["TerminationPolicies"].clone()),
            ("created_at", |raw| raw["CreatedTime"].clone()),
            ("status", |raw| maybe(&raw["Status"])),
            ("tags", |raw| tags(&raw["Tags"])),
            ("region", at_home),
        ],
        joined: &[
            "health", "troubles", "tier", "refresh", "refresh_percent", "refresh_remaining", "refresh_id",
            "refresh_reason", "refresh_started_at", "refresh_ended_at", "versions_behind", "image_id",
            "image_name", "image_created_at", "spot", "account",
        ],
        unread: &["refreshes"],
    }
    .judge(seeded);
}

#[test]
fn templates_equal_boto3_and_hold_every_version_in_use() {
    let Some(seeded) = seeded() else { return };
    Judged {
        kind: "templates",
        truth: seeded.list("templates").to_vec(),
        key: ("id", |raw| raw["LaunchTemplateId"].clone()),
        columns: &[
            ("id", |raw| raw["LaunchTemplateId"].clone()),
            ("name", |raw| raw["LaunchTemplateName"].clone()),
            ("default_version", |raw| raw["DefaultVersionNumber"].clone()),
            ("latest_version", |raw| raw["LatestVersionNumber"].clone()),
            ("created_at", |raw| raw["CreateTime"].clone()),
            ("created_by", |raw| raw["CreatedBy"].clone()),
            ("tags", |raw| tags(&raw["Tags"])),
            ("region", at_home),
        ],
        joined: &[
            "image",
            "groups",
            "instances",
            "older",
            "behind",
            "versions",
            "account",
            "image_name",
            "image_created_at",
            "image_behind",
        ],
        unread: &[],
    }
    .judge(seeded);

    let rows = rows(seeded, "templates", &[]);
    let raw_version = |id: &Value, number: u64| {
        let mut all = seeded.list("template_versions").iter();
        all.find(|raw| raw["LaunchTemplateId"] == *id && raw["VersionNumber"] == number).unwrap()
    };
    for row in &rows {
        let versions = row["versions"].as_array().unwrap();
        let mut wanted: BTreeSet<u64> =
            ["default_version", "latest_version"].map(|name| row[name].as_u64().unwrap()).into();
        for group in seeded.list("groups") {
            let used = &group["LaunchTemplate"];
            if used["LaunchTemplateId"] == row["id"] {
                wanted.extend(used["Version"].as_str().and_then(|version| version.parse::<u64>().ok()));
            }
        }
        let have: BTreeSet<u64> =
            versions.iter().map(|version| version["number"].as_u64().unwrap()).collect();
        assert!(have.is_superset(&wanted), "{}: has versions {have:?}, not all of {wanted:?}", row["name"]);
        for version in versions {
            let raw = raw_version(&row["id"], version["number"].as_u64().unwrap());
            let data = &raw["LaunchTemplateData"];
            let expected = json!({
                "number": raw["VersionNumber"], "description": maybe(&raw["VersionDescription"]),
                "created_at": raw["CreateTime"], "image": maybe(&data["ImageId"]),
                "instance_type": maybe(&data["InstanceType"]),
                "is_spot": data["InstanceMarketOptions"]["MarketType"] == "spot",
                "key_name": maybe(&data["KeyName"]),
                "by_attributes": !data["InstanceRequirements"].is_null(),
            });
            assert_eq!(plain(version), plain(&expected), "{}", row["name"]);
        }
        let default = raw_version(&row["id"], row["default_version"].as_u64().unwrap());
        assert_eq!(row["image"], default["LaunchTemplateData"]["ImageId"], "{}", row["name"]);
    }
}

#[test]
fn images_equal_boto3_and_a_gone_one_is_called_gone() {
    let Some(seeded) = seeded() else { return };
    let mut truth = seeded.list("images").to_vec();
    truth.push(json!({ "ImageId": "ami-0123456789abcdef0", "State": "gone" }));
    Judged {
        kind: "images",
        truth,
        key: ("id", |raw| raw["ImageId"].clone()),
        columns: &[
            ("id", |raw| raw["ImageId"].clone()),
            ("name", |raw| maybe(&raw["Name"])),
            ("state", |raw| raw["State"].clone()),
            ("architecture", |raw| maybe(&raw["Architecture"])),
            ("created_at", |raw| raw["CreationDate"].clone()),
            ("deprecated_at", |raw| raw["DeprecationTime"].clone()),
            ("gone", |raw| json!(raw["State"] == "gone")),
            ("owner_id", |raw| maybe(&raw["OwnerId"])),
            ("platform", |raw| maybe(&raw["PlatformDetails"])),
            ("root_device_type", |raw| maybe(&raw["RootDeviceType"])),
            ("region", at_home),
        ],
        joined: &["health", "troubles", "instances", "templates", "newer", "account"],
        unread: &[],
    }
    .judge(seeded);
}

#[test]
fn clusters_equal_boto3_field_for_field() {
    let Some(seeded) = seeded() else { return };
    Judged {
        kind: "clusters",
        truth: seeded.list("clusters").to_vec(),
        key: ("arn", |raw| raw["clusterArn"].clone()),
        columns: &[
            ("id", |raw| raw["clusterName"].clone()),
            ("name", |raw| raw["clusterName"].clone()),
            ("arn", |raw| raw["clusterArn"].clone()),
            ("status", |raw| raw["status"].clone()),
            ("hosts", |raw| raw["registeredContainerInstancesCount"].clone()),
            ("services", |raw| raw["activeServicesCount"].clone()),
            ("running_tasks", |raw| raw["runningTasksCount"].clone()),
            ("pending_tasks", |raw| raw["pendingTasksCount"].clone()),
            ("tags", |raw| tags(&raw["tags"])),
            ("region", at_home),
        ],
        joined: &["health", "troubles", "providers", "managed_draining", "account"],
        unread: &[],
    }
    .judge(seeded);

    let rows = rows(seeded, "clusters", &[]);
    let raw = &seeded.list("providers")[0];
    let scaling = &raw["autoScalingGroupProvider"];
    let row = rows.iter().find(|row| row["name"] == "cores-a").unwrap();
    let expected = json!([{
        "name": raw["name"], "group_arn": scaling["autoScalingGroupArn"], "managed_scaling": true,
        "target_percent": scaling["managedScaling"]["targetCapacity"], "managed_termination_protection": true,
        "managed_draining": false,
    }]);
    assert_eq!(row["providers"], expected);
}

#[test]
fn services_equal_boto3_field_for_field() {
    fn deployment(raw: &Value) -> Value {
        json!({
            "id": raw["id"], "status": raw["status"], "rollout": raw["rolloutState"],
            "reason": raw["rolloutStateReason"], "task_definition": family(&raw["taskDefinition"]),
            "desired": raw["desiredCount"], "running": raw["runningCount"], "pending": raw["pendingCount"],
            "failed": raw["failedTasks"], "created_at": raw["createdAt"], "updated_at": raw["updatedAt"],
        })
    }
    let Some(seeded) = seeded() else { return };
    Judged {
        kind: "services",
        truth: seeded.list("services").to_vec(),
        key: ("arn", |raw| raw["serviceArn"].clone()),
        columns: &[
            ("id", |raw| {
                let name = |value: &Value| short(value).as_str().unwrap().to_owned();
                json!(format!("{}/{}", name(&raw["clusterArn"]), name(&raw["serviceName"])))
            }),
            ("name", |raw| raw["serviceName"].clone()),
            ("arn", |raw| raw["serviceArn"].clone()),
            ("cluster", |raw| short(&raw["clusterArn"])),
            ("cluster_arn", |raw| raw["clusterArn"].clone()),
            ("status", |raw| raw["status"].clone()),
            ("desired", |raw| raw["desiredCount"].clone()),
            ("running", |raw| raw["runningCount"].clone()),
            ("pending", |raw| raw["pendingCount"].clone()),
            ("task_definition", |raw| family(&raw["taskDefinition"])),
            ("launch_type", |raw| maybe(&raw["launchType"])),
            ("strategy", |raw| raw["schedulingStrategy"].clone()),
            ("min_percent", |raw| raw["deploymentConfiguration"]["minimumHealthyPercent"].clone()),
            ("max_percent", |raw| raw["deploymentConfiguration"]["maximumPercent"].clone()),
            ("rollout", |raw| raw["deployments"][0]["rolloutState"].clone()),
            ("deployments", |raw| list(&raw["deployments"], deployment)),
            ("events", |raw| raw["events"].clone()),
            ("last_event", |raw| raw["events"][0]["message"].clone()),
            ("target_groups", |raw| {
                list(&raw["loadBalancers"], |used| {
                    json!({
                        "target_group": used["targetGroupArn"], "container": used["containerName"],
                        "port": used["containerPort"],
                    })
                })
            }),
            ("providers", |raw| {
                list(&raw["capacityProviderStrategy"], |item| item["capacityProvider"].clone())
            }),
            ("created_at", |raw| raw["createdAt"].clone()),
            ("tags", |raw| tags(&raw["tags"])),
            ("region", at_home),
        ],
        joined: &["health", "troubles", "tier", "stuck", "account"],
        unread: &[],
    }
    .judge(seeded);
}

/// `family:revision` of a task definition's ARN.
fn family(raw: &Value) -> Value {
    short(raw)
}

#[test]
fn hosts_equal_boto3_field_for_field() {
    fn resource(raw: &Value, list: &str, name: &str) -> Value {
        raw[list].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap()["integerValue"]
            .clone()
    }
    fn attribute(raw: &Value, name: &str) -> Value {
        let all = raw["attributes"].as_array().unwrap();
        all.iter().find(|item| item["name"] == name).map_or(Value::Null, |item| item["value"].clone())
    }
    let Some(seeded) = seeded() else { return };
    Judged {
        kind: "hosts",
        truth: seeded.list("hosts").to_vec(),
        key: ("arn", |raw| raw["containerInstanceArn"].clone()),
        columns: &[
            ("id", |raw| short(&raw["containerInstanceArn"])),
            ("arn", |raw| raw["containerInstanceArn"].clone()),
            ("instance", |raw| maybe(&raw["ec2InstanceId"])),
            // boto3's element does not name the cluster: the ARN does.
            ("cluster", |raw| {
                json!(raw["containerInstanceArn"].as_str().unwrap().rsplit('/').nth(1).unwrap())
            }),
            ("status", |raw| raw["status"].clone()),
            ("status_reason", |raw| maybe(&raw["statusReason"])),
            ("agent_connected", |raw| raw["agentConnected"].clone()),
            ("agent_version", |raw| raw["versionInfo"]["agentVersion"].clone()),
            ("running_tasks", |raw| raw["runningTasksCount"].clone()),
            ("pending_tasks", |raw| raw["pendingTasksCount"].clone()),
            ("cpu_total", |raw| resource(raw, "registeredResources", "CPU")),
            ("cpu_free", |raw| resource(raw, "remainingResources", "CPU")),
            ("memory_total", |raw| resource(raw, "registeredResources", "MEMORY")),
            ("memory_free", |raw| resource(raw, "remainingResources", "MEMORY")),
            ("provider", |raw| maybe(&raw["capacityProviderName"])),
            ("type", |raw| attribute(raw, "ecs.instance-type")),
            ("zone", |raw| attribute(raw, "ecs.availability-zone")),
            ("image_id", |raw| attribute(raw, "ecs.ami-id")),
            ("registered_at", |raw| raw["registeredAt"].clone()),
            ("tags", |raw| tags(&raw["tags"])),
            ("region", at_home),
        ],
        joined: &["health", "troubles", "tier", "docker_version", "cluster_arn", "account"],
        unread: &[],
    }
    .judge(seeded);
}

#[test]
fn tasks_equal_boto3_field_for_field() {
    let Some(seeded) = seeded() else { return };
    Judged {
        kind: "tasks",
        // moto lists stopped tasks too; AWS does not unless asked, and nor do we.
        truth: seeded.list("tasks").iter().filter(|raw| raw["lastStatus"] != "STOPPED").cloned().collect(),
        key: ("arn", |raw| raw["taskArn"].clone()),
        columns: &[
            ("id", |raw| short(&raw["taskArn"])),
            ("arn", |raw| raw["taskArn"].clone()),
            ("service", |raw| match raw["group"].as_str().and_then(|group| group.strip_prefix("service:")) {
                Some(name) => json!(name),
                None => Value::Null,
            }),
            ("group", |raw| maybe(&raw["group"])),
            ("cluster", |raw| short(&raw["clusterArn"])),
            ("cluster_arn", |raw| raw["clusterArn"].clone()),
            ("last_status", |raw| raw["lastStatus"].clone()),
            ("desired_status", |raw| raw["desiredStatus"].clone()),
            ("zone", |raw| maybe(&raw["availabilityZone"])),
            ("task_definition", |raw| family(&raw["taskDefinitionArn"])),
            ("started_at", |raw| raw["startedAt"].clone()),
            ("container_health", |raw| maybe(&raw["healthStatus"])),
            ("launch_type", |raw| maybe(&raw["launchType"])),
            ("started_by", |raw| maybe(&raw["startedBy"])),
            ("cpu_units", |raw| maybe(&raw["cpu"])),
            ("memory", |raw| maybe(&raw["memory"])),
            ("images", |raw| list(&raw["containers"], |container| container["image"].clone())),
            ("created_at", |raw| raw["createdAt"].clone()),
            ("stopped_at", |raw| raw["stoppedAt"].clone()),
            ("stopped_reason", |raw| maybe(&raw["stoppedReason"])),
            ("host_arn", |raw| maybe(&raw["containerInstanceArn"])),
            ("tags", |raw| tags(&raw["tags"])),
            ("region", at_home),
        ],
        joined: &["health", "troubles", "instance", "ports", "account"],
        unread: &[],
    }
    .judge(seeded);
}

#[test]
fn targets_equal_boto3_field_for_field() {
    let Some(seeded) = seeded() else { return };
    let groups: BTreeMap<&str, &Value> = seeded
        .list("target_groups")
        .iter()
        .map(|group| (group["TargetGroupArn"].as_str().unwrap(), group))
        .collect();
    let truth = seeded
        .list("targets")
        .iter()
        .map(|raw| {
            let mut raw = raw.clone();
            raw["Group"] = groups[raw["TargetGroupArn"].as_str().unwrap()].clone();
            raw
        })
        .collect();
    fn id(raw: &Value) -> Value {
        let port = raw["Target"]["Port"].as_u64().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        json!(format!("{}/{}:{port}", text(&raw["TargetGroupName"]), text(&raw["Target"]["Id"])))
    }
    Judged {
        kind: "targets",
        truth,
        key: ("id", id),
        columns: &[
            ("id", id),
            ("group", |raw| raw["TargetGroupName"].clone()),
            ("group_arn", |raw| raw["TargetGroupArn"].clone()),
            ("target", |raw| raw["Target"]["Id"].clone()),
            ("port", |raw| raw["Target"]["Port"].clone()),
            ("zone", |raw| maybe(&raw["Target"]["AvailabilityZone"])),
            ("state", |raw| raw["TargetHealth"]["State"].clone()),
            ("reason", |raw| maybe(&raw["TargetHealth"]["Reason"])),
            ("description", |raw| maybe(&raw["TargetHealth"]["Description"])),
            ("protocol", |raw| raw["Group"]["Protocol"].clone()),
            ("group_port", |raw| raw["Group"]["Port"].clone()),
            ("target_type", |raw| raw["Group"]["TargetType"].clone()),
            ("vpc_id", |raw| maybe(&raw["Group"]["VpcId"])),
            ("health_path", |raw| maybe(&raw["Group"]["HealthCheckPath"])),
            // moto repeats a load balancer once a rule; AWS does not. Their order says nothing.
            ("balancers", |raw| {
                let all = raw["Group"]["LoadBalancerArns"].as_array().unwrap();
                json!(all.iter().map(|arn| arn.as_str().unwrap()).collect::<BTreeSet<_>>())
            }),
            ("region", at_home),
        ],
        joined: &["health", "account"],
        unread: &[],
    }
    .judge(seeded);
}

#[test]
fn rules_equal_boto3_field_for_field() {
    fn values(raw: &Value, field: &str, config: &str) -> Value {
        let all = raw["Conditions"].as_array().unwrap();
        let of_field = all.iter().filter(|condition| condition["Field"] == field);
        of_field
            .flat_map(|condition| {
                let listed = condition[config]["Values"].as_array().or(condition["Values"].as_array());
                listed.cloned().unwrap_or_default()
            })
            .collect()
    }
    fn weights(raw: &Value) -> Value {
        let all = raw["Actions"].as_array().unwrap();
        let forwards = all.iter().filter(|action| action["Type"] == "forward");
        forwards
            .flat_map(|action| action["ForwardConfig"]["TargetGroups"].as_array().unwrap().clone())
            .map(|used| json!({ "target_group": used["TargetGroupArn"], "weight": used["Weight"] }))
            .collect()
    }
    let Some(seeded) = seeded() else { return };
    Judged {
        kind: "rules",
        truth: seeded.list("rules").to_vec(),
        key: ("arn", |raw| raw["RuleArn"].clone()),
        columns: &[
            ("id", |raw| short(&raw["RuleArn"])),
            ("arn", |raw| raw["RuleArn"].clone()),
            ("balancer", |raw| raw["LoadBalancerName"].clone()),
            ("balancer_arn", |raw| raw["LoadBalancerArn"].clone()),
            ("port", |raw| raw["Port"].clone()),
            ("priority", |raw| raw["Priority"].clone()),
            ("hosts", |raw| values(raw, "host-header", "HostHeaderConfig")),
            ("paths", |raw| values(raw, "path-pattern", "PathPatternConfig")),
            ("weights", weights),
            ("forwards", |raw| {
                let name = |used: &Value| {
                    used["target_group"].as_str().unwrap().rsplit('/').nth(1).unwrap().to_owned()
                };
                weights(raw).as_array().unwrap().iter().map(name).collect()
            }),
            ("other_action", |raw| match &raw["Actions"][0] {
                action if action["Type"] == "forward" => Value::Null,
                action if action["Type"] == "fixed-response" => {
                    json!(format!(
                        "fixed-response {}",
                        action["FixedResponseConfig"]["StatusCode"].as_str().unwrap()
                    ))
                }
                action => action["Type"].clone(),
            }),
            ("region", at_home),
        ],
        joined: &["health", "troubles", "healthy", "targets", "account"],
        unread: &[],
    }
    .judge(seeded);
}
