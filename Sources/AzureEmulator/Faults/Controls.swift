internal import SalvorJSON

/// What only an emulator has: `/emulator/faults` and `/emulator/clock`, for whoever has a token.
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
                404, "InvalidResourcePath", "The emulator has /emulator/faults and /emulator/clock, and nothing else.")
        }
    }

    private func faults(_ emulator: Emulator) -> EmulatorResponse {
        EmulatorResponse(200, json: ["hits": .array(emulator.faults.hits.map { .integer(Int64($0)) })])
    }

    private func time(_ emulator: Emulator) -> JSONValue {
        let now = emulator.clock.now
        return ["milliseconds": .integer(now.milliseconds), "time": .string(now.text)]
    }
}
