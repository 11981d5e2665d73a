internal import SalvorCoordinatorCore
internal import SalvorJSON

/// What Azure Policy would refuse of what a rescue makes: locations, sizes, missing tags. A rescue VM has no public address,
/// so that policies against those do not matter.
struct PolicyCheck: PreflightCheck {
    let name = "policies"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let results = try await questions(subject).concurrentMap { (question) async throws(AzureError) in
            (question.what, try await subject.facts.refusals(question))
        }
        return results.flatMap { what, refusals in refusals.map { finding($0, what) } }
    }

    private func questions(_ subject: PreflightSubject) -> [PolicyQuestion] {
        let machine = subject.machine
        let subscription = ResourceID.subscription(machine.subscription)
        let location = JSONValue.string(machine.location)
        var tags = subject.settings.tags.mapValues { JSONValue.string($0) }
        tags[RunTag.run] = "preflight"
        let zones = JSONValue.array(machine.zones.map { .string($0) })
        let sku = JSONValue.string(machine.disk?.sku ?? "Premium_LRS")
        let common: [String: JSONValue] = ["location": location, "tags": .object(tags)]
        func asked(
            _ scope: ResourceID, _ what: String, _ type: String, _ version: APIVersion,
            _ more: [String: JSONValue] = [:]
        ) -> PolicyQuestion {
            PolicyQuestion(
                scope: scope, what: what, type: type, version: version, content: common.merging(more) { $1 })
        }
        // A copy has its disk's own tags as well.
        let copyTags = (machine.disk?.tags ?? [:]).mapValues { JSONValue.string($0) }.merging(tags) { $1 }
        return [
            asked(
                machine.id.group, "the copy of its OS disk", "Microsoft.Compute/disks", .disks,
                ["tags": .object(copyTags), "zones": zones, "sku": ["name": sku]]),
            asked(
                subscription, "the rescue VM", "Microsoft.Compute/virtualMachines", .compute,
                [
                    "zones": zones,
                    "properties": ["hardwareProfile": ["vmSize": .string(subject.settings.effectiveSize)]],
                ]),
            asked(subscription, "the rescue VM's network interface", "Microsoft.Network/networkInterfaces", .network),
            asked(subscription, "the rescue group", "Microsoft.Resources/subscriptions/resourceGroups", .resources),
        ]
    }

    private func finding(_ refusal: PolicyRefusal, _ what: String) -> Finding {
        let name = refusal.assignment.split(separator: "/").last.map(String.init) ?? "of an unknown name"
        let fields = refusal.fields.joined(separator: ", ")
        let demanded = refusal.demanded.values.flatMap { $0 }
        return forbid(
            .unsupported,
            "The policy assignment “\(name)” would refuse \(what)\(fields.isEmpty ? "" : " because of \(fields)")"
                + (demanded.isEmpty ? "." : ", which must be \(demanded.joined(separator: " or "))."),
            refusal.fields.contains { $0.lowercased().hasPrefix("tag") }
                ? "Give the tags that it demands with --tags, or have the rescue exempted from it."
                : "Have the rescue exempted from it (\(refusal.assignment)).")
    }
}
