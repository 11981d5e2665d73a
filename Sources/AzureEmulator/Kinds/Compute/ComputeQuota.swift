internal import SalvorJSON

/// How many cores a subscription's machines have in a location, and how many they may have.
struct ComputeQuota {
    let subscription: ResourceID
    let location: String
    let offer: ComputeOffer

    /// Cores of a family, or of all. Machines that are deallocated count as well.
    func used(_ family: String? = nil, except machine: ResourceID? = nil, in state: EmulatorState) -> Int64 {
        machines(in: state).reduce(Int64(0)) { sum, record in
            guard record.id != machine, let size = VMSize.of(record), family == nil || size.family == family else {
                return sum
            }
            return sum + size.cores
        }
    }

    func machines(in state: EmulatorState) -> [Record] {
        state.list("Microsoft.Compute/virtualMachines", in: ResourceID(subscription: subscription.subscription))
            .filter { $0.body["location"]?.string == location }
    }

    /// Whether a machine may have a size, in place of the one that it has.
    /// - Throws: 409 `OperationNotAllowed`.
    func check(_ size: VMSize, for machine: ResourceID, in state: EmulatorState) throws(ARMError) {
        for (family, name) in [(nil, "Total Regional"), (size.family, size.family)] as [(String?, String)] {
            let limit = offer.coreLimit(of: family ?? "cores")
            let used = used(family, except: machine, in: state)
            guard used + size.cores > limit else { continue }
            throw ARMError(
                409, "OperationNotAllowed",
                "Operation could not be completed as it results in exceeding approved \(name) Cores quota. Additional details - "
                    + "Deployment Model: Resource Manager, Location: \(location), Current Limit: \(limit), Current Usage: "
                    + "\(used), Additional Required: \(size.cores), (Minimum) New Limit Required: \(used + size.cores). Setup "
                    + "Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoringalerting . Submit a "
                    + "request for Quota increase by specifying parameters listed in the 'Details' section for deployment to "
                    + "succeed. Please read more about quota limits at "
                    + "https://docs.microsoft.com/en-us/azure/azure-supportability/\(family == nil ? "regional" : "per-vm")"
                    + "-quota-requests")
        }
    }
}

extension VMSize {
    /// The size that a machine has.
    static func of(_ machine: Record) -> VMSize? {
        let name = machine.body[path: "properties.hardwareProfile.vmSize"]?.string?.lowercased()
        return all.first { $0.name.lowercased() == name }
    }

    /// What its cores are counted under: `standardDSv5Family` for `Standard_D2s_v5`.
    var family: String {
        let parts = name.split(separator: "_").dropFirst()
        let letters = (parts.first ?? "").filter(\.isLetter).uppercased()
        return "standard\(letters)\(parts.dropFirst().first ?? "")Family"
    }
}
