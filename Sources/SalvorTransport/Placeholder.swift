enum SalvorTransportPlaceholder {}
