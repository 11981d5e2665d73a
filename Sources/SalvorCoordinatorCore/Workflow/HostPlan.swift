/// Which machines share a rescue VM.
enum HostPlan {
    /// As few hosts as the capacity allows, filled evenly, the machines in their order: what is alike stays together, and
    /// no host gets the whole load while another idles.
    /// - Parameter placement: only what is equal in this shares a host.
    static func pack<Element>(
        _ machines: [Element], capacity: Int, by placement: (Element) -> String
    ) -> [[Element]] {
        var places: [String] = []
        var byPlace: [String: [Element]] = [:]
        for machine in machines {
            let place = placement(machine)
            if byPlace[place] == nil { places.append(place) }
            byPlace[place, default: []].append(machine)
        }
        return places.flatMap { pack(byPlace[$0] ?? [], capacity: capacity) }
    }

    private static func pack<Element>(_ machines: [Element], capacity: Int) -> [[Element]] {
        guard !machines.isEmpty else { return [] }
        let capacity = max(1, capacity)
        let hosts = (machines.count + capacity - 1) / capacity
        var groups: [[Element]] = []
        var start = 0
        for host in 0..<hosts {
            let size = machines.count / hosts + (host < machines.count % hosts ? 1 : 0)
            groups.append(Array(machines[start..<start + size]))
            start += size
        }
        return groups
    }
}
