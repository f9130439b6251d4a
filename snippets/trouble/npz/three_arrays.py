# --8<-- [start:see]
import keras


def built(**options):
    layer = keras.layers.BatchNormalization(**options)
    layer.build((None, 3))
    return layer


no_gamma = built(scale=False)
no_gamma.beta.assign([7, 8, 9])
no_beta = built(center=False)

print("gamma before:", no_beta.gamma.numpy())
no_beta.set_weights(no_gamma.get_weights())
print("gamma after: ", no_beta.gamma.numpy())
# --8<-- [end:see]


# --8<-- [start:fix]
def set_checked(target, source):
    """Give one BatchNormalization layer the arrays of another, or raise."""
    if not isinstance(target, keras.layers.BatchNormalization):
        raise TypeError(f"{target.name} is no BatchNormalization layer")
    for own, other in zip(target.weights, source.weights, strict=True):
        if own.name != other.name:
            raise ValueError(f"{own.name} would take {other.name}")
    target.set_weights(source.get_weights())


# --8<-- [end:fix]

# --8<-- [start:sure]
other = built(center=False)
set_checked(other, no_beta)
print("same names:", other.gamma.numpy())
try:
    set_checked(other, no_gamma)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:sure]
