/// Pairs the beginnings and ends of steps.
struct StepBuilder {
    private(set) var steps: [StepReport] = []

    mutating func add(_ record: AuditRecord) {
        switch record.event {
        case .stepStarted(let event):
            steps.append(
                StepReport(
                    step: event.step, startedAt: record.time, milliseconds: nil, result: .unfinished,
                    detail: event.detail))
        case .stepDone(let event):
            end(event.step, .done, event.detail, event.milliseconds, at: record.time)
        case .stepFailed(let event):
            end(event.step, .failed, event.detail, event.milliseconds, at: record.time)
        default: break
        }
    }

    private mutating func end(
        _ step: String, _ result: StepReport.Result, _ detail: String?, _ milliseconds: UInt64, at time: WallTime
    ) {
        guard let index = steps.lastIndex(where: { $0.step == step && $0.result == .unfinished }) else {
            // An end without a beginning: its beginning follows from its length.
            let startedAt = WallTime(unixMilliseconds: time.unixMilliseconds - Int64(clamping: milliseconds))
            steps.append(
                StepReport(
                    step: step, startedAt: startedAt, milliseconds: milliseconds, result: result, detail: detail))
            return
        }
        steps[index].result = result
        steps[index].milliseconds = milliseconds
        steps[index].detail = detail ?? steps[index].detail
    }
}
