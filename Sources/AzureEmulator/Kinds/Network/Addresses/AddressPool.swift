internal import SalvorJSON

/// Which addresses of a subnet, or of the public ones, are taken and by whom.
///
/// Each taken address is a record of its own below the pool's, which no client sees, so that taking one of thousands
/// writes one small record. Beside them lies a note of the address below which none is free.
struct AddressPool {
    /// The subnet, or what stands for all public addresses.
    let id: ResourceID

    /// All public addresses of all subscriptions: nobody has two alike.
    static let everywhere = AddressPool(
        id: ResourceID(
            subscription: "all", namespace: "Microsoft.Network", types: ["publicAddresses"], names: ["ipv4"]))

    private func record(_ address: IPv4Address) -> ResourceID { id.child("allocations", address.description) }
    private func note(_ range: ClosedRange<UInt32>) -> ResourceID {
        id.child("allocationNotes", "\(IPv4Address(value: range.lowerBound))")
    }

    /// The id of what has the address.
    func holder(of address: IPv4Address, in state: EmulatorState) -> String? {
        state[record(address)]?.body["holder"]?.string
    }

    /// Ids of all that have an address.
    func holders(in state: EmulatorState) -> [String] {
        state.children(of: id, "allocations").compactMap { $0.body["holder"]?.string }
    }

    func taken(in state: EmulatorState) -> [IPv4Address] {
        state.children(of: id, "allocations").compactMap { IPv4Address($0.id.name) }
    }

    func take(_ address: IPv4Address, for holder: String, in state: inout EmulatorState) {
        state.put(Record(id: record(address), body: ["holder": .string(holder)]))
    }

    /// Takes the lowest free address of a range.
    /// - Returns: nil where all are taken.
    func takeLowest(
        of range: ClosedRange<UInt32>, for holder: String, in state: inout EmulatorState
    ) -> IPv4Address? {
        let note = note(range)
        var next = state[note]?.body["from"]?.integer.flatMap(UInt32.init(exactly:)) ?? range.lowerBound
        while next <= range.upperBound {
            let address = IPv4Address(value: next)
            next += 1
            guard state[record(address)] == nil else { continue }
            take(address, for: holder, in: &state)
            state.put(Record(id: note, body: ["from": .integer(Int64(next))]))
            return address
        }
        return nil
    }

    func release(_ address: IPv4Address, in state: inout EmulatorState) {
        state.remove(record(address))
        for var note in state.children(of: id, "allocationNotes") {
            guard let lowest = IPv4Address(note.id.name), lowest <= address,
                let from = note.body["from"]?.integer, from > Int64(address.value)
            else { continue }
            note.body[path: "from"] = .integer(Int64(address.value))
            state.put(note)
        }
    }
}
