//! Members that a group launched from one template version, put together from what Auto Scaling, EC2, ECS and the
//! load balancers say of them.

use super::call::Desk;
use super::{autoscaling, ec2, ecs, elb, ssm};
use crate::model::{
    Check, ClusterArn, GroupName, HostDetail, InstanceId, InstanceStatus, Member, Newcomer, Readiness,
    Target, TargetGroupArn, TemplateRef, Text, Trouble,
};

/// Which are meant, and who is asked about them.
pub(super) struct Of<'a> {
    pub(super) group: &'a GroupName,
    pub(super) template: &'a TemplateRef,
    pub(super) others: &'a [TemplateRef],
    pub(super) cluster: Option<&'a ClusterArn>,
    pub(super) target_groups: &'a [TargetGroupArn],
}

/// The newcomers of a group. Where there are none yet, nobody else is asked.
pub(super) async fn look(desk: &Desk, of: &Of<'_>) -> Result<Vec<Newcomer>, Trouble> {
    let groups = autoscaling::look_at_groups(desk, std::slice::from_ref(of.group)).await?;
    let members = groups.into_iter().flat_map(|group| group.members);
    let members: Vec<Member> = members
        .filter(|member| {
            std::iter::once(of.template).chain(of.others).any(|template| is_meant(member, template))
        })
        .collect();
    let ids: Vec<InstanceId> = members.iter().map(|member| member.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let hosts = async {
        match of.cluster {
            Some(cluster) => ecs::look_at_hosts_on(desk, cluster, &ids).await,
            None => Ok(Vec::new()),
        }
    };
    let targets = async {
        let each = of.target_groups.iter().map(|group| elb::look_at_targets(desk, group));
        Ok(futures::future::try_join_all(each).await?.concat())
    };
    let (checks, hosts, targets) = tokio::try_join!(ec2::look_at_checks(desk, &ids), hosts, targets)?;
    Ok(members.into_iter().map(|member| newcomer(member, &checks, &hosts, &targets)).collect())
}

/// Whether instances can be worked with, by EC2, its checks, and Systems Manager.
pub(super) async fn readiness(desk: &Desk, of: &[InstanceId]) -> Result<Vec<Readiness>, Trouble> {
    let instances = ec2::look_at_instances(desk, of).await?;
    let known: Vec<InstanceId> = instances.iter().map(|one| one.id.clone()).collect();
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let (checks, agents) =
        tokio::try_join!(ec2::look_at_checks(desk, &known), ssm::look_at_agents(desk, &known))?;
    let of = |one: &std::sync::Arc<crate::model::Instance>| Readiness {
        id: one.id.clone(),
        state: one.state,
        state_reason: one.state_reason().map(Text::new),
        checks: checks.iter().find(|status| status.id == one.id).map(worse),
        agent: agents.iter().find(|agent| agent.id == one.id).map(|agent| agent.ping.clone()),
    };
    Ok(instances.iter().map(of).collect())
}

fn is_meant(member: &Member, wanted: &TemplateRef) -> bool {
    member
        .template
        .as_ref()
        .is_some_and(|had| had.version == wanted.version && (had.id == wanted.id || had.name == wanted.name))
}

fn newcomer(member: Member, checks: &[InstanceStatus], hosts: &[HostDetail], targets: &[Target]) -> Newcomer {
    let host = hosts.iter().find(|host| host.host.instance_id.as_ref() == Some(&member.id));
    let told = targets.iter().filter(|target| target.id.as_str() == member.id.as_str());
    Newcomer {
        checks: checks.iter().find(|status| status.id == member.id).map(worse),
        agent: host.map(|host| host.host.is_connected),
        targets: told.map(|target| (target.group.clone(), target.state.word().into())).collect(),
        state: member.state.clone(),
        health: member.health.clone(),
        id: member.id,
    }
}

/// The worse of two checks.
fn worse(status: &InstanceStatus) -> Check {
    status.system.max(status.instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_a_newcomer_by_its_version_and_template() {
        let template = |id: &str, version: &str| TemplateRef {
            id: id.into(),
            name: "prod".into(),
            version: version.into(),
        };
        let member = |template| {
            let mut member = crate::fleet::made::member("i-1");
            member.template = template;
            member
        };
        assert!(is_meant(&member(Some(template("lt-1", "8"))), &template("lt-1", "8")));
        assert!(!is_meant(&member(Some(template("lt-1", "7"))), &template("lt-1", "8")));
        assert!(!is_meant(&member(None), &template("lt-1", "8")));
    }
}
