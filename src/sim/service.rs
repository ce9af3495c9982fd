//! What is served: services, their operations, and what a call carries to them.

use super::fault::Fault;
use super::faults::Target;
use super::input::Input;
use super::shape::Shape;
use super::time::Moment;
use super::world::place::Place;
use super::world::{Caller, World};
use super::{autoscaling, cloudwatch, ec2, ecs, elbv2, logs, pricing, route53, ssm, sts};

/// How a service talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Forms in, XML out, lists of `item`, no result wrapper.
    Ec2,
    /// Forms in, XML out, lists of `member`, in a result wrapper.
    Query,
    /// JSON 1.0 or 1.1 both ways.
    Json,
    /// Paths in, XML out, lists by the names of their items.
    RestXml,
    /// CBOR both ways.
    Cbor,
}

/// A service.
#[derive(Debug)]
pub(crate) struct Service {
    /// As signatures name it.
    pub(crate) name: &'static str,
    /// As AWS's models name it.
    pub(crate) model: &'static str,
    /// As people name it.
    pub(crate) title: &'static str,
    /// The protocol when nothing in the request says otherwise.
    pub(crate) protocol: Protocol,
    /// The version of its API.
    pub(crate) version: &'static str,
    /// What `X-Amz-Target` begins with.
    pub(crate) target: &'static str,
    /// The namespace of its XML.
    pub(crate) namespace: &'static str,
    /// The code for a parameter that is not understood.
    pub(crate) bad_parameter: &'static str,
    pub(crate) operations: &'static [Operation],
}

/// An operation: its name, the parameters that it understands, and what it does.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) takes: &'static [&'static str],
    pub(crate) run: Run,
}

/// What an operation does.
#[derive(Debug)]
pub(crate) enum Run {
    /// It only looks.
    Read(fn(&Call, &Place) -> Answer),
    /// It changes something.
    Write(fn(&Call, &mut Place) -> Answer),
}

/// What comes back.
pub(crate) type Answer = Result<Shape, Fault>;

/// One call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) world: &'a World,
    pub(crate) seed: u64,
    pub(crate) operation: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'static str,
    pub(crate) caller: &'a Caller,
    pub(crate) input: Input<'a>,
    pub(crate) now: Moment,
    pub(crate) request_id: &'a str,
}

impl Call<'_> {
    /// Tells whether the caller has a permission that the call needs besides its own.
    pub(crate) fn may(&self, service: &str, call: &str) -> bool {
        let target = Target { service, call, account: self.account, region: self.region, changes: true };
        !self.world.denials.hold(target, self.now)
    }
}

/// Every service that is served.
pub(crate) const SERVICES: &[&Service] = &[
    &ec2::SERVICE,
    &autoscaling::SERVICE,
    &ecs::SERVICE,
    &elbv2::SERVICE,
    &ssm::SERVICE,
    &cloudwatch::SERVICE,
    &logs::SERVICE,
    &pricing::SERVICE,
    &sts::SERVICE,
    &route53::SERVICE,
];

impl Service {
    /// The operation of that name.
    pub(crate) fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }
}

impl Operation {
    /// An operation that only looks.
    pub(crate) const fn read(
        name: &'static str,
        takes: &'static [&'static str],
        run: fn(&Call, &Place) -> Answer,
    ) -> Self {
        Self { name, takes, run: Run::Read(run) }
    }

    /// An operation that changes something.
    pub(crate) const fn write(
        name: &'static str,
        takes: &'static [&'static str],
        run: fn(&Call, &mut Place) -> Answer,
    ) -> Self {
        Self { name, takes, run: Run::Write(run) }
    }

    /// The first parameter that is not understood.
    pub(crate) fn stranger<'a>(&self, input: Input<'a>) -> Option<&'a str> {
        input.names().find(|name| !matches!(*name, "Action" | "Version") && !self.takes.contains(name))
    }
}
