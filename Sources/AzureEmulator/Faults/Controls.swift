internal import SalvorJSON

/// What only an emulator has: `/emulator/faults`, `/emulator/guests` and `/emulator/clock`, for whoever has a token.
struct Controls: Endpoint {
    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        guard segments.first?.lowercased() == "emulator" else { return nil }
        _ = try emulator.bearer.check(request, now)
        switch (request.method, segments.dropFirst().map { $0.lowercased() }) {
        case ("GET", ["faults"]): return faults(emulator)
        case ("PUT", ["faults"]):
            guard let wanted = try request.json()["rules"]?.array else {
                throw ARMError(400, "InvalidFault", "A script of faults is an object with an array, 'rules'.")
            }
            var rules: [FaultRule] = []
            for rule in wanted { rules.append(try FaultRule(json: rule)) }
            emulator.faults.rules = rules
            return faults(emulator)
        case ("DELETE", ["faults"]):
            emulator.faults.rules = []
            return EmulatorResponse(204)
        case ("GET", ["guests"]): return try await guests(emulator, now)
        case ("PUT", ["guests"]):
            let machines = try unbootable(try request.json())
            try await emulator.commit(now) { (state) throws(ARMError) in
                for id in machines { _ = try state.require(id) }
                for var record in state.all(VirtualMachines().type)
                where machines.contains(record.id) != UnbootableDisk.holds(record) {
                    UnbootableDisk.mark(&record, isUnbootable: machines.contains(record.id))
                    state.put(record)
                }
            }
            return try await guests(emulator, now)
        case ("GET", ["clock"]): return EmulatorResponse(200, json: time(emulator))
        case ("POST", ["clock"]):
            guard let step = try request.json()["advanceMilliseconds"]?.integer, step >= 0 else {
                throw ARMError(400, "InvalidClock", "'advanceMilliseconds' is to be a number, 0 or more.")
            }
            guard emulator.clock.advance(by: .milliseconds(step)) else {
                throw ARMError(
                    409, "ClockRuns", "The clock goes by itself. Start the emulator with --clock manual to set it.")
            }
            // What has come due meanwhile comes about before the answer.
            try await emulator.commit(emulator.clock.now) { (_) throws(ARMError) in }
            return EmulatorResponse(200, json: time(emulator))
        default:
            throw ARMError(
                404, "InvalidResourcePath",
                "The emulator has /emulator/faults, /emulator/guests and /emulator/clock, and nothing else.")
        }
    }

    /// The machines that a body names.
    private func unbootable(_ body: JSONValue) throws(ARMError) -> Set<ResourceID> {
        let wrong = ARMError(
            400, "InvalidGuests", "What does not boot is an object with an array, 'unbootable', of ids of machines.")
        guard let texts = body["unbootable"]?.array else { throw wrong }
        var ids: Set<ResourceID> = []
        let type = VirtualMachines().type.lowercased()
        for text in texts {
            guard let id = text.string.flatMap({ ResourceID($0) }), id.type.lowercased() == type else { throw wrong }
            ids.insert(id)
        }
        return ids
    }

    private func guests(_ emulator: Emulator, _ now: EmulatorTime) async throws(ARMError) -> EmulatorResponse {
        let ids = try await emulator.commit(now) { (state) throws(ARMError) in
            state.all(VirtualMachines().type).filter(UnbootableDisk.holds).map { JSONValue.string($0.id.description) }
        }
        return EmulatorResponse(200, json: ["unbootable": .array(ids)])
    }

    private func faults(_ emulator: Emulator) -> EmulatorResponse {
        EmulatorResponse(200, json: ["hits": .array(emulator.faults.hits.map { .integer(Int64($0)) })])
    }

    private func time(_ emulator: Emulator) -> JSONValue {
        let now = emulator.clock.now
        return ["milliseconds": .integer(now.milliseconds), "time": .string(now.text)]
    }
}
