//! Task definitions: described, registered, deregistered.

use super::make::{constraints, number};
use super::services::definition_arn;
use super::tasks::find_definition;
use super::{includes, invalid};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::containers::{Constraint, Definition};
use crate::sim::world::place::Place;
use compact_str::{CompactString, format_compact};

/// DescribeTaskDefinition: `family`, `family:revision` or an ARN.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let definition = find_definition(place, call.input.text("taskDefinition").unwrap_or_default());
    let Some(definition) = definition else {
        return Err(Fault::new("ClientException", "Unable to describe task definition."));
    };
    Ok(Fields::new()
        .with("taskDefinition", shape(place, definition))
        .when(includes(call, "TAGS"), |fields| fields.with("tags", Shape::List(Vec::new())))
        .into())
}

fn shape(place: &Place, definition: &Definition) -> Shape {
    let key = format!("{}:{}", definition.family, definition.revision);
    let options = vec![
        ("awslogs-group".into(), Shape::from(&definition.log_group)),
        ("awslogs-region".into(), Shape::from(place.region)),
        ("awslogs-stream-prefix".into(), Shape::from(&definition.container)),
    ];
    let ports = definition.port.map(|port| {
        Fields::new()
            .with("containerPort", port)
            .with("hostPort", definition.host_port.unwrap_or(0))
            .with("protocol", "tcp")
            .into()
    });
    let container = Fields::new()
        .with("name", &definition.container)
        .with("image", &definition.image)
        .with("cpu", definition.cpu)
        .with("memory", definition.memory)
        .with("portMappings", Shape::List(ports.into_iter().collect()))
        .with("essential", true)
        .with("environment", Shape::List(Vec::new()))
        .with("mountPoints", Shape::List(Vec::new()))
        .with("volumesFrom", Shape::List(Vec::new()))
        .with("stopTimeout", 60i64)
        .with(
            "logConfiguration",
            Fields::new().with("logDriver", "awslogs").with("options", Shape::Map(options)),
        );
    Fields::new()
        .with("taskDefinitionArn", definition_arn(place, &key))
        .with("containerDefinitions", Shape::List(vec![container.into()]))
        .with("family", &definition.family)
        .with("executionRoleArn", format!("arn:aws:iam::{}:role/ecsTaskExecutionRole", place.account))
        .with("networkMode", "bridge")
        .with("revision", definition.revision)
        .with("volumes", Shape::List(Vec::new()))
        .with("status", if definition.is_inactive { "INACTIVE" } else { "ACTIVE" })
        .with("requiresAttributes", Shape::List(Vec::new()))
        .with("placementConstraints", constraint_list(&definition.constraints))
        .with("compatibilities", vec!["EXTERNAL", "EC2"])
        .with("requiresCompatibilities", vec!["EC2"])
        .with(
            "runtimePlatform",
            Fields::new()
                .with("cpuArchitecture", definition.architecture)
                .with("operatingSystemFamily", "LINUX"),
        )
        .with("registeredAt", definition.registered)
        .with("registeredBy", format!("arn:aws:iam::{}:role/deploy", place.account))
        .into()
}

/// Placement constraints as the wire has them.
pub(super) fn constraint_list(constraints: &[Constraint]) -> Shape {
    list(constraints, |constraint| match constraint {
        Constraint::Distinct => Fields::new().with("type", "distinctInstance"),
        Constraint::MemberOf(text) => Fields::new().with("type", "memberOf").with("expression", text),
    })
}

/// What RegisterTaskDefinition understands.
pub(super) const TAKES: &[&str] = &[
    "family",
    "containerDefinitions",
    "cpu",
    "memory",
    "networkMode",
    "requiresCompatibilities",
    "placementConstraints",
    "runtimePlatform",
    "executionRoleArn",
];

/// RegisterTaskDefinition: a new revision with one container.
pub(super) fn register(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let client = |sentence: &str| Fault::new("ClientException", sentence.to_owned());
    let family = input.text("family").unwrap_or_default();
    let is_good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if family.is_empty() || !family.chars().all(is_good) {
        return Err(client("Family contains invalid characters."));
    }
    if !matches!(input.text("networkMode"), None | Some("bridge")) {
        return Err(client("Only the network mode bridge is understood here."));
    }
    let containers = input.list("containerDefinitions");
    let [part] = containers.as_slice() else {
        return Err(client("Exactly one container is understood here."));
    };
    let known = [
        "name",
        "image",
        "cpu",
        "memory",
        "memoryReservation",
        "portMappings",
        "essential",
        "stopTimeout",
        "environment",
        "logConfiguration",
    ];
    if let Some(stranger) = part.names().find(|name| !known.contains(name)) {
        return Err(client(&format!("{stranger} of a container is not understood here.")));
    }
    let container = part.text("name").ok_or_else(|| client("Container.name should not be null or empty."))?;
    let image = part.text("image").ok_or_else(|| client("Container.image should not be null or empty."))?;
    let text_number = |name: &str| input.text(name).and_then(|text| text.parse::<u32>().ok());
    let memory = number(*part, "memory")?.or(number(*part, "memoryReservation")?).or(text_number("memory"));
    let memory = memory.ok_or_else(|| {
        client("Invalid setting for container. At least one of 'memory' or 'memoryReservation' must be specified.")
    })?;
    let mapping = part.list("portMappings").into_iter().next();
    let port = |name: &str| match mapping {
        None => Ok(None),
        Some(mapping) => match u16::try_from(number(mapping, name)?.unwrap_or(0)) {
            Ok(0) => Ok(None),
            Ok(port) => Ok(Some(port)),
            Err(_) => Err(invalid(format!("{name} is out of range."))),
        },
    };
    let platform = input.get("runtimePlatform");
    if !matches!(platform.and_then(|part| part.text("operatingSystemFamily")), None | Some("LINUX")) {
        return Err(client("Only the operating system family LINUX is understood here."));
    }
    let architecture = match platform.and_then(|part| part.text("cpuArchitecture")) {
        None | Some("X86_64") => "X86_64",
        Some("ARM64") => "ARM64",
        Some(_) => return Err(client("cpuArchitecture must be X86_64 or ARM64.")),
    };
    let (port, host_port) = (port("containerPort")?, port("hostPort")?);
    let revision = place.definitions.rows().filter(|known| known.family == family);
    let revision = revision.map(|known| known.revision).max().unwrap_or(0) + 1;
    let definition = Definition {
        family: family.into(),
        revision,
        container: container.into(),
        image: image.into(),
        port,
        cpu: number(*part, "cpu")?.or(text_number("cpu")).unwrap_or(0),
        memory,
        registered: call.now,
        log_group: format_compact!("/ecs/{family}"),
        architecture,
        host_port,
        constraints: constraints(input)?,
        is_inactive: false,
    };
    let shape = shape(place, &definition);
    place.definitions.insert(format_compact!("{family}:{revision}"), definition);
    Ok(Fields::new().with("taskDefinition", shape).into())
}

/// DeregisterTaskDefinition: what runs by it goes on; nothing new begins.
pub(super) fn deregister(call: &Call, place: &mut Place) -> Answer {
    let name = call.input.text("taskDefinition").unwrap_or_default();
    let key = CompactString::from(super::tail(name));
    let definition = place
        .definitions
        .get_mut(&key)
        .ok_or_else(|| Fault::new("ClientException", "The specified task definition does not exist."))?;
    definition.is_inactive = true;
    let definition = definition.clone();
    Ok(Fields::new().with("taskDefinition", shape(place, &definition)).into())
}
