//! Growth: cells of fifty instances, as many as were asked for.
//!
//! Every cell is a group. Half of them are docker hosts with development cores and their tenants, half
//! are hosts of an ECS cluster shared by ten cells, with services of four tasks.

use super::names::company;
use crate::sim::builder::containers::{NewService, cluster, definition, host, provider, service};
use crate::sim::builder::{Builder, DAY, HOUR, Images, NewGroup, kind};
use compact_str::{CompactString, format_compact};

/// Instances in a cell.
const CELL: usize = 50;

/// Grows the fleet to at least so many instances.
pub(super) fn grow(fleet: &mut Builder, images: &Images, instances: usize) {
    let present = fleet.place.instances.len();
    if instances <= present {
        return;
    }
    let docker = fleet.template("cell-docker", Some("t3.small"), 1, &[(&images.docker, "", 16)]);
    let container = fleet.template("cell-ecs", Some("m5.large"), 1, &[(&images.ecs, "", 9)]);
    let image = "supertokens/supertokens-postgresql:11.0.4";
    let core = definition(fleet, ("cell-core", 5), image, Some(3567), (256, 768), 9);
    let missing = instances - present;
    for number in 0..missing.div_ceil(CELL) {
        let size = CELL.min(missing - number * CELL);
        if number % 2 == 0 {
            docker_cell(fleet, &docker, number, size);
        } else {
            ecs_cell(fleet, &container, &core, number, size);
        }
    }
}

fn group(fleet: &mut Builder, name: &str, template: &str, tier: &str, size: usize) {
    let size = u32::try_from(size).unwrap_or(0);
    fleet.group(NewGroup {
        name,
        template,
        version: 1,
        mix: None,
        sizes: (1, size, size * 2),
        age: 100,
        tier,
        target_groups: Vec::new(),
    });
}

fn docker_cell(fleet: &mut Builder, template: &str, number: usize, size: usize) {
    let name = format!("cell-{number:04}-docker");
    group(fleet, &name, template, "development", size);
    for at in 0..size {
        let age = DAY + i64::try_from(at / 10).unwrap_or(0) * HOUR;
        let host = fleet.member(&name, kind("t3.small"), 1, age, false, 8.0 + at as f64 * 0.2);
        // Twenty cores a docker cell make ten for every cell, and as many tenants.
        if at < 20 {
            let core = format!("cell-{number:04}-{at:02}");
            fleet.core(&core, "development", &host, 3567, "11.0.4", age - 60);
            let tenant = company(1000 + number * 20 + at);
            fleet.tenant(&tenant, &tenant, &core, None, "development", age - 60);
        }
    }
}

fn ecs_cell(fleet: &mut Builder, template: &str, core: &CompactString, number: usize, size: usize) {
    let name = format!("cell-{number:04}-ecs");
    let home = format!("cells-{:03}", number / 10);
    group(fleet, &name, template, "shared", size);
    provider(fleet, &name, &name, false);
    if !fleet.place.clusters.has(&home) {
        cluster(fleet, &home, &[]);
    }
    if let Some(cluster) = fleet.place.clusters.get_mut(&home) {
        cluster.providers.push(name.as_str().into());
    }
    for at in 0..size {
        let age = DAY + i64::try_from(at / 10).unwrap_or(0) * HOUR;
        let instance = fleet.member(&name, kind("m5.large"), 1, age, at % 5 > 0, 30.0);
        host(fleet, &home, &name, &instance, "1.98.0");
    }
    for at in 0..5 {
        let service_name = format_compact!("cell-{number:04}-core-{at}");
        service(
            fleet,
            NewService {
                cluster: &home,
                name: &service_name,
                definition: core,
                desired: 4,
                percents: (100, 200),
                provider: Some(&name),
                target_group: None,
                tier: "shared",
                age: 20 * HOUR,
                is_daemon: false,
            },
        );
    }
}
