extension ProxyCounters {
    func count(_ refusal: Admission.Refusal) {
        switch refusal {
        case .tooManyOfAddress: addressesLimited.add()
        case .tooManyUnauthenticated, .tooManyUnauthenticatedOfAddress: unauthenticatedLimited.add()
        }
    }
}
