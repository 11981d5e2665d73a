enum SalvorTransportTestsPlaceholder {}
