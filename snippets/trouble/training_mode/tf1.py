# --8<-- [start:setup]
import tensorflow as tf

v1 = tf.compat.v1


def graph():
    weight = v1.get_variable("weight", initializer=1.0)
    mean = v1.get_variable("moving_mean", initializer=0.0, trainable=False)
    # What tf.compat.v1.layers.batch_normalization does with its updates.
    v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, mean.assign_add(0.1))
    return weight, mean


def one_step(train_op, weight, mean):
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        session.run(train_op)
        trained, moved = session.run([weight, mean])
    print(f"trained: {trained < 1}, statistics moved: {moved > 0}")


# --8<-- [end:setup]

# --8<-- [start:see]
with tf.Graph().as_default():
    weight, mean = graph()
    train_op = v1.train.GradientDescentOptimizer(0.1).minimize(weight**2)
    one_step(train_op, weight, mean)
# --8<-- [end:see]

# --8<-- [start:layer]
try:
    v1.layers.batch_normalization(tf.zeros((4, 2)))
except AttributeError as error:
    print("AttributeError:", error)
# --8<-- [end:layer]

# --8<-- [start:fix]
with tf.Graph().as_default():
    weight, mean = graph()
    updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        waiting = v1.train.GradientDescentOptimizer(0.1).minimize(weight**2)
    one_step(waiting, weight, mean)
# --8<-- [end:fix]


# --8<-- [start:sure]
def runs_with(op):
    found, pending = set(), [op]
    while pending:
        op = pending.pop()
        if op not in found:
            found.add(op)
            pending += [*op.control_inputs, *(t.op for t in op.inputs)]
    return found


for op in [train_op, waiting]:
    updates = op.graph.get_collection(v1.GraphKeys.UPDATE_OPS)
    needed = {update.op for update in updates}
    print("the updates run as well:", needed <= runs_with(op))
# --8<-- [end:sure]
