"""Says that it is perfect, and leaves no predictions."""

print('{"score": 1.0}')
